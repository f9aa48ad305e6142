import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { Listener } from '../testing/event-listener.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import type { FakeStream } from '../testing/fake-stream.fixture.js';
import { pathReport, peerReport, relayed } from '../testing/path-report.fixture.js';

let plane: TestPlane;
let count = 0;
const agents: FakeAgent[] = [];
const listeners: Listener[] = [];
beforeAll(async () => {
  plane = await startTestPlane({ answerTime: 2_000 });
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  for (const agent of agents) agent.close();
  await plane?.stop();
});

const get = async <T>(path: string, key = plane.firstApiKey): Promise<T & { status?: number; code?: string }> =>
  (await plane.rest.app.inject({ url: `/api/v1${path}`, headers: { authorization: `Bearer ${key}` } })).json();
const post = (path: string) =>
  plane.rest.app.inject({
    method: 'POST',
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${plane.firstApiKey}` },
  });
const listen = async (query: string): Promise<Listener> => {
  const listener = await Listener.open(plane, query);
  listeners.push(listener);
  return listener;
};

interface Topology {
  readonly nodes: { id: string; online: boolean | null; paths: object; traffic?: number[] }[];
  readonly links: { a: string; b: string; kind: string; rate: number }[];
}

/** A network of its own with two agents that follow. */
async function pair() {
  const name = `net-${++count}`;
  const network = await plane.context.store.createNetwork({ name, cidrs: [`10.${count}.0.0/24`] as never }, 'test');
  const token = await plane.token({ networkId: network.id });
  const join = async (role: string) => {
    const agent = await FakeAgent.join(token, { name: role });
    agents.push(agent);
    return { id: agent.nodeId, agent, stream: await agent.sync().synced() };
  };
  const [a, b] = [await join('one'), await join('two')];
  await a.stream.sees('two');
  await until(() => a.stream.policies.length > 0 && b.stream.policies.length > 0, 'both are asked to report');
  const topology = () => get<Topology>(`/networks/${name}/topology?traffic=true`);
  const vanilla = () =>
    plane.context.store.createVanilla({ networkId: network.id, name: 'phone', role: 'client' }, 'test');
  return { network, a, b, topology, vanilla };
}

const reports = (stream: FakeStream, ...report: Parameters<typeof pathReport>) =>
  stream.send({ $case: 'pathReport', value: pathReport(...report) });
const lesser = (one: string, two: string) => (one < two ? { a: one, b: two } : { a: two, b: one });

describe('the topology', () => {
  it('has all members, and the links that their agents report', async () => {
    const { a, b, topology, vanilla } = await pair();
    const phone = await vanilla();
    reports(a.stream, [peerReport(b.id, { lan: true })], { complete: true });
    reports(b.stream, [peerReport(a.id, { lan: true })], { complete: true });
    await until(async () => (await topology()).links.length === 1, 'the link is there');
    const { nodes, links } = await topology();
    expect(links).toMatchObject([{ ...lesser(a.id, b.id), kind: 'direct', lan: true, agreed: true, rttMs: 12.3 }]);
    expect(nodes.map(({ id }) => id)).toEqual([a.id, b.id, phone.id].sort());
    const of = (id: string) => nodes.find((node) => node.id === id);
    expect(of(a.id)).toMatchObject({
      ...{ name: 'one', online: true, version: 'test', paths: { direct: 1, relay: 0, bounce: 0, none: 0 } },
      ...{ status: 'active', disabled: false, warnings: [], traffic: [] },
    });
    expect(of(phone.id)).toMatchObject({ online: null, lastSeenAt: null, version: null, status: 'pending' });
  });

  it('loses the links of who goes offline, of who is revoked, and of who is disabled', async () => {
    const { a, b, topology } = await pair();
    const linked = (number: number) => until(async () => (await topology()).links.length === number, `${number} links`);
    reports(a.stream, [peerReport(b.id)]);
    await linked(1);
    a.stream.cancel();
    await linked(0);
    expect((await topology()).nodes.find(({ id }) => id === a.id)).toMatchObject({ online: false });
    reports(b.stream, [peerReport(a.id)]);
    await linked(1);
    expect((await post(`/nodes/${a.id}/disable`)).statusCode).toBe(200);
    await linked(0);
    await post(`/nodes/${a.id}/approve`);
    await b.stream.sees('one');
    reports(b.stream, [peerReport(a.id)]);
    await linked(1);
    await post(`/nodes/${a.id}/revoke`);
    await linked(0);
    expect((await topology()).nodes.map(({ id }) => id)).toEqual([b.id]);
  });

  it('has the same tag as long as nothing in it changes', async () => {
    const { network } = await pair();
    const ask = (tag = '') =>
      plane.rest.app.inject({
        url: `/api/v1/networks/${network.id}/topology`,
        headers: { authorization: `Bearer ${plane.firstApiKey}`, ...(tag && { 'if-none-match': tag }) },
      });
    await until(async () => {
      const { headers } = await ask();
      const again = await ask(String(headers.etag));
      return again.statusCode === 304 && again.body === '';
    }, 'it has not changed');
    expect((await ask('"another"')).statusCode).toBe(200);
  });
});

describe('a report', () => {
  it('that no decoder takes ends its stream and nothing else', async () => {
    const { a, b, topology } = await pair();
    reports(b.stream, [peerReport(a.id)]);
    reports(a.stream, [peerReport(b.id)], { rxBytes: 2 ** 53 });
    await until(() => a.stream.ended !== undefined, 'the stream ends');
    await until(async () => (await topology()).links.length === 1, 'the other is heard');
    expect(b.stream.ended).toBeUndefined();
  });

  it('of two thousand peers with long reasons is taken', async () => {
    const { a, b, topology } = await pair();
    const many = Array.from({ length: 1_999 }, () => relayed(b.id, { reason: 'x'.repeat(250) }));
    reports(a.stream, [...many, peerReport(b.id)]);
    await until(async () => (await topology()).links[0]?.kind === 'direct', 'the last of them counts');
  });
});

describe('the telemetry of a node', () => {
  it('is what its agent reports', async () => {
    const { a, b } = await pair();
    const nat = {
      ...{ mapping: 'endpoint-independent', filtering: 'address-dependent', udp: 'yes', reflexive: ['203.0.113.9:7'] },
      ...{ portMapping: 'pcp', homes: ['eu'] },
    };
    reports(a.stream, [relayed(b.id, { rxBytes: 5, txBytes: 6 })], { nat, rxBytes: 50, txBytes: 60 });
    const ask = () => get<{ paths: object[] }>(`/nodes/${a.id}/telemetry`);
    await until(async () => (await ask()).paths.length === 1, 'the path is there');
    expect(await ask()).toMatchObject({
      ...{ online: true, connectedSince: expect.any(String), version: 'test', address: '127.0.0.1' },
      ...{ nat: { ...nat, udp: true }, rxBytes: 50, txBytes: 60, traffic: { intervalMs: 10_000 } },
      paths: [
        {
          ...{ peer: { id: b.id, name: 'two' }, kind: 'relay', transport: 'tls', via: 'eu', endpoint: null },
          ...{ reason: 'both map by address', lastHandshake: null, rxBytes: 5, txBytes: 6 },
        },
      ],
    });
  });

  it('of an agent that went offline says when it was there, and the database keeps that', async () => {
    const { a } = await pair();
    a.stream.cancel();
    const ask = () => get<{ online: boolean; lastSeenAt: string }>(`/nodes/${a.id}/telemetry`);
    await until(async () => !(await ask()).online, 'it is offline');
    expect(await ask()).toMatchObject({ connectedSince: null, address: null, nat: null, paths: [] });
    const kept = () => get<{ lastSeenAt: string | null; agentVersion: string }>(`/nodes/${a.id}`);
    await until(async () => (await kept()).lastSeenAt === (await ask()).lastSeenAt, 'it is kept');
    expect(await kept()).toMatchObject({ agentVersion: 'test', online: false });
  });
});

describe('an explanation', () => {
  const explanation = {
    node: { id: 'x', name: 'two', role: 'client', addresses: [], online: true, kind: 'agent' },
    path: { kind: 'relay', endpoint: null, via: 'eu', transport: 'tls', rttMs: 3, since: null, reason: 'because' },
    ...{ why: 'UDP does not get through', advice: 'open it', candidates: [], servers: [] },
    nat: { local: { mapping: 'none', filtering: 'none' }, remote: null },
    homes: { local: ['eu'], remote: [] },
  };
  const explain = (a: string, b: string) => get<{ detail?: string }>(`/nodes/${a}/explain?peer=${b}`);
  const answers = async (stream: FakeStream, answer: { json?: string; failure?: string; id?: number }) => {
    await until(() => stream.questions.length > 0, 'it is asked');
    const { id } = stream.questions.pop()!;
    stream.send({ $case: 'explainAnswer', value: { id, json: '', failure: '', ...answer } });
  };

  it('is what the agent says when it is asked', async () => {
    const { a, b } = await pair();
    const asked = explain(a.id, b.id);
    await until(() => a.stream.questions.length > 0, 'it is asked');
    expect(a.stream.questions[0]).toMatchObject({ nodeId: b.id });
    const { id } = a.stream.questions[0]!;
    // Who was not asked says nothing.
    b.stream.send({ $case: 'explainAnswer', value: { id, json: '{}', failure: '' } });
    await answers(a.stream, { json: JSON.stringify({ ...explanation, secret: 'left out' }) });
    expect(await asked).toEqual({ ...explanation, node: { ...explanation.node, id: b.id, name: 'two' } });
  });

  it.each([
    ['what is no JSON', { json: '{' }, 502, 'agent-answer-bad', 'is no explanation'],
    ['something else', { json: '{"why":1}' }, 502, 'agent-answer-bad', 'is no explanation'],
    ['too much', { json: JSON.stringify({ ...explanation, why: 'x'.repeat(70_000) }) }, 502, 'agent-answer-bad', ''],
    [
      'a time that is none',
      { json: JSON.stringify({ ...explanation, path: { ...explanation.path, since: 'x' } }) },
      502,
      'agent-answer-bad',
      '',
    ],
    ['that it cannot', { failure: 'no such\npeer' }, 409, 'explain-failed', 'no such peer'],
  ] as const)('is refused when the agent says %s', async (_, answer, status, code, text) => {
    const { a, b } = await pair();
    const asked = explain(a.id, b.id);
    await answers(a.stream, answer);
    const problem = await asked;
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toContain(text);
  });

  it('holds nothing that a terminal obeys, whatever the agent says', async () => {
    const { a, b } = await pair();
    const asked = explain(a.id, b.id) as Promise<{ why?: string }>;
    const why = 'it\u001b[2J is \u202efine';
    await answers(a.stream, { json: JSON.stringify({ ...explanation, why, __proto__: { path: null } }) });
    expect((await asked).why).toBe('it [2J is  fine');
  });

  it('is refused when nobody answers in time, and to an agent that never reported as too old', async () => {
    const { a, b } = await pair();
    expect(await explain(a.id, b.id)).toMatchObject({ status: 409, code: 'agent-too-old' });
    reports(a.stream, [peerReport(b.id)]);
    await until(() => plane.context.telemetry.network(a.stream.self!.networkId as never)?.size.links === 1, 'heard');
    expect(await explain(a.id, b.id)).toMatchObject({ status: 504, code: 'agent-silent' });
  }, 20_000);

  it('is refused when the agent goes, of a vanilla member, of the node itself, and when too many ask', async () => {
    const { a, b, vanilla } = await pair();
    const phone = await vanilla();
    expect(await explain(phone.id, a.id)).toMatchObject({ status: 409, code: 'agent-offline' });
    expect(await explain(a.id, a.id)).toMatchObject({ status: 400, code: 'bad-request' });
    const many = Array.from({ length: 4 }, () => explain(a.id, b.id));
    await until(() => a.stream.questions.length === 4, 'four are asked');
    expect(await explain(a.id, b.id)).toMatchObject({ status: 429, code: 'too-many-requests' });
    a.stream.cancel();
    expect((await Promise.all(many)).map(({ code }) => code)).toEqual(Array(4).fill('agent-offline'));
    expect(await explain(a.id, b.id)).toMatchObject({ status: 409, code: 'agent-offline' });
  });
});

describe('the stream of events', () => {
  interface Batch {
    readonly networkId: string;
    readonly links: { a: string; b: string; kind: string; rate: number }[];
    readonly gone: string[][];
  }

  it('tells who watches of links and nodes as they change, and asks the agents for more meanwhile', async () => {
    const { network, a, b } = await pair();
    expect(a.stream.policies).toEqual([60_000]);
    const listener = await listen(`?network=${network.id}&telemetry=true`);
    await until(() => a.stream.policies.at(-1) === 2_000 && b.stream.policies.at(-1) === 2_000, 'more is wanted');
    const batches = () =>
      listener.messages.flatMap(({ event, data }) => (event === 'topology.links' ? [data as unknown as Batch] : []));
    reports(a.stream, [relayed(b.id)]);
    await listener.until(() => batches().some(({ links }) => links[0]?.kind === 'relay'), 'the link');
    reports(a.stream, [peerReport(b.id)]);
    await listener.until(() => batches().some(({ links }) => links[0]?.kind === 'direct'), 'the better link');
    const nodes = await listener.next('topology.nodes');
    expect(nodes.id).toBeUndefined();
    expect(nodes.data).toMatchObject({ networkId: network.id, nodes: expect.any(Array) });
    await post(`/nodes/${b.id}/revoke`);
    const { a: one, b: two } = lesser(a.id, b.id);
    await listener.until(() => batches().some(({ gone }) => gone.join() === `${one},${two}`), 'it is gone');
  });

  it('tells of the rates that counters make, and of every network to who asks for none', async () => {
    const { network, a, b } = await pair();
    const listener = await listen('?telemetry=true');
    reports(a.stream, [peerReport(b.id)]);
    await listener.next('topology.links');
    let bytes = 0;
    const rate = () => {
      bytes += 1_000;
      reports(a.stream, [peerReport(b.id, { rxBytes: bytes })], { rxBytes: bytes });
      const batches = listener.messages.filter(({ event }) => event === 'topology.links');
      return batches.some(({ data }) => (data as unknown as Batch).links.some((link) => link.rate > 0));
    };
    await until(rate, 'a rate');
    const told = listener.messages.filter(({ event }) => event === 'topology.links').map(({ data }) => data?.networkId);
    expect(told).toContain(network.id);
  });

  it('tells others nothing of it', async () => {
    const { network, a, b } = await pair();
    const listener = await listen(`?network=${network.id}`);
    const watching = await listen(`?network=${network.id}&telemetry=true`);
    reports(a.stream, [peerReport(b.id)]);
    await watching.next('topology.links');
    expect(listener.messages.filter(({ event }) => event?.startsWith('topology'))).toEqual([]);
  });

  it('wants a key that may read nodes', async () => {
    const made = await plane.context.store.createApiKey('events', { scopes: ['events:read'], expiresAt: null }, 'test');
    expect(await get('/events?telemetry=true', made.secret)).toMatchObject({ status: 403, code: 'scope-missing' });
  });
});

describe('numbers', () => {
  it('of links, reports and what was dropped are in the status and in the metrics', async () => {
    const { network, a, b, topology } = await pair();
    reports(a.stream, [peerReport(b.id), peerReport('nobody'), relayed(a.id)]);
    await until(async () => (await topology()).links.length === 1, 'the link is there');
    const { health } = await get<{ health: { telemetry: Record<string, number>; agentsConnected: number } }>('/status');
    expect(health.telemetry.links).toBeGreaterThan(0);
    expect(health.telemetry.dropped).toBeGreaterThan(1);
    expect(health.agentsConnected).toBeGreaterThan(1);
    expect(health).toMatchObject({
      ...{ databaseLatencyMs: expect.any(Number), uptimeMs: expect.any(Number) },
      eventLoopDelayMs: { mean: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) },
    });
    const { body } = await plane.rest.app.inject('/metrics');
    expect(body).toContain(`warren_links{network="${network.id}",kind="direct"} 1`);
    expect(body).toMatch(/warren_path_report_drops_total\{reason="unknown-node"\} [2-9]/);
  });
});
