import { WarrenError } from '@warren/base';
import { type ExplainAnswer, PathKind, type PathReport, type SyncRequest, type SyncResponse } from '@warren/proto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PathReading } from './path-reports.js';
import type { Explanation } from './status-types.js';
import { Telemetry } from './telemetry.js';

let counter: number;
/** Milliseconds. */
let readTakes: number;
let kind: PathKind;
let refreshed: number[];
let explain: (nodeId: string) => Promise<Explanation>;
let telemetry: Telemetry;

const NAT = { mapping: 'unknown', filtering: 'unknown', udp: '', reflexive: [], portMapping: '', homes: [] };
const path = { lan: false, tls: false, endpoint: '', via: '', rttUs: 0, sinceMs: 0, reason: '', lastHandshakeMs: 0 };

/** One peer, whose counters go on all the time. */
const read = async (): Promise<PathReading> => {
  counter++;
  if (readTakes > 0) await new Promise((resolve) => setTimeout(resolve, readTakes));
  const peers = [{ nodeId: 'a', kind, ...path, rxBytes: counter, txBytes: 0 }];
  return { peers, unneeded: new Set(), nat: NAT, rxBytes: counter, txBytes: 0, atMs: Date.now() };
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  [counter, readTakes, kind, refreshed] = [0, 0, PathKind.PATH_KIND_RELAY, []];
  explain = async () => ({}) as Explanation;
  telemetry = new Telemetry({
    read,
    refresh: async (silentMs) => refreshed.push(silentMs),
    explain: (nodeId) => explain(nodeId),
    random: () => 0.5,
    log: () => undefined,
  });
});
afterEach(() => {
  telemetry.streamEnded();
  vi.useRealTimers();
});

/** A stream that takes everything at once, or nothing from now on. */
function openStream(takes = () => true) {
  const reports: PathReport[] = [];
  const answers: ExplainAnswer[] = [];
  const reply = ({ message }: SyncRequest, sent?: () => void): void => {
    if (message?.$case === 'pathReport') reports.push(message.value);
    if (message?.$case === 'explainAnswer') answers.push(message.value);
    if (takes()) sent?.();
  };
  const hear = (message: SyncResponse['message']) => telemetry.handle({ message }, reply);
  const policy = (intervalMs: number) => hear({ $case: 'reportPolicy', value: { intervalMs } });
  const ask = (id: number, nodeId = 'a') => hear({ $case: 'explain', value: { id, nodeId } });
  return { reports, answers, reply, hear, policy, ask };
}
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe('telemetry', () => {
  it('without a policy says all there is once, and then only that a path is another', async () => {
    const { reports, reply } = openStream();
    telemetry.streamBegan(reply);
    await pass(0);
    expect(reports).toMatchObject([{ complete: true, peers: [{ nodeId: 'a' }] }]);
    await pass(600_000);
    expect(reports).toHaveLength(1);
    expect(refreshed).toEqual([]);
    kind = PathKind.PATH_KIND_DIRECT;
    for (let i = 0; i < 50; i++) telemetry.pathsChanged();
    await pass(249);
    expect(reports).toHaveLength(1);
    await pass(1);
    expect(reports.slice(1)).toMatchObject([{ complete: false, peers: [{ kind }] }]);
  });

  it('looks the more seldom the longer a look takes', async () => {
    readTakes = 100;
    const { reply } = openStream();
    telemetry.streamBegan(reply);
    for (let i = 0; i < 100; i++) {
      telemetry.pathsChanged();
      await pass(100);
    }
    expect(counter).toBeGreaterThanOrEqual(4);
    expect(counter).toBeLessThanOrEqual(6);
  });

  it('finds what changes without a word within ten seconds', async () => {
    const { reports, reply } = openStream();
    telemetry.streamBegan(reply);
    await pass(0);
    kind = PathKind.PATH_KIND_UNSPECIFIED;
    await pass(10_000);
    expect(reports).toHaveLength(2);
  });

  it('says counters as often as is wanted, and no more once they are not', async () => {
    const { reports, reply, policy } = openStream();
    policy(60_000);
    telemetry.streamBegan(reply);
    await pass(600_000);
    expect(reports).toHaveLength(1 + 10);
    expect(refreshed).toEqual([]);
    policy(2_000);
    await pass(60_000);
    expect(reports).toHaveLength(11 + 30);
    expect(new Set(refreshed)).toEqual(new Set([120_000]));
    policy(0);
    await pass(600_000);
    expect(reports).toHaveLength(41);
  });

  it('takes a policy within reason only', async () => {
    const { reports, reply, policy } = openStream();
    telemetry.streamBegan(reply);
    policy(1);
    await pass(10_000);
    expect(reports.length).toBeLessThanOrEqual(21);
  });

  it('has one report on its way, however long the stream takes nothing, and then says what is true', async () => {
    let sent: (() => void) | undefined;
    const reports: PathReport[] = [];
    telemetry.streamBegan(({ message }, done) => {
      if (message?.$case === 'pathReport') reports.push(message.value);
      sent = done;
    });
    await pass(0);
    const readings = counter;
    for (let i = 0; i < 100; i++) {
      kind = i % 2 === 0 ? PathKind.PATH_KIND_DIRECT : PathKind.PATH_KIND_RELAY;
      telemetry.pathsChanged();
      await pass(1_000);
    }
    kind = PathKind.PATH_KIND_BOUNCE;
    expect([reports.length, counter]).toEqual([1, readings]);
    sent?.();
    await pass(250);
    expect(reports.slice(1)).toMatchObject([{ peers: [{ kind: PathKind.PATH_KIND_BOUNCE }] }]);
  });

  it('begins anew on another stream, also when the one before never took anything', async () => {
    const stuck = openStream(() => false);
    stuck.policy(2_000);
    telemetry.streamBegan(stuck.reply);
    await pass(10_000);
    expect(stuck.reports).toHaveLength(1);
    telemetry.reset();
    const next = openStream();
    telemetry.streamBegan(next.reply);
    await pass(60_000);
    expect(stuck.reports).toHaveLength(1);
    // The policy of the stream before is not that of this one.
    expect(next.reports).toMatchObject([{ complete: true }]);
  });

  it('explains when it is asked, and says why it cannot', async () => {
    const { answers, ask } = openStream();
    explain = async (nodeId) => {
      if (nodeId === 'a') return { why: 'it answers' } as Explanation;
      throw new WarrenError('node-unknown', 'the node has just left the network');
    };
    expect(ask(7)).toBe(true);
    ask(8, 'b');
    await pass(0);
    expect(answers).toEqual([
      { id: 7, json: '{"why":"it answers"}', failure: '' },
      { id: 8, json: '', failure: 'the node has just left the network' },
    ]);
  });

  it('sends no explanation that is too long, and works on a few at a time', async () => {
    const { answers, ask } = openStream();
    let release!: (explanation: Explanation) => void;
    const waiting = new Promise<Explanation>((resolve) => {
      release = resolve;
    });
    explain = () => waiting;
    for (let id = 1; id <= 5; id++) ask(id);
    await pass(0);
    expect(answers).toEqual([{ id: 5, json: '', failure: expect.stringContaining('busy') }]);
    release({ why: 'x'.repeat(65_536) } as Explanation);
    await pass(0);
    expect(answers.slice(1).map(({ json, failure }) => json === '' && failure.includes('too long'))).toEqual(
      Array(4).fill(true),
    );
  });

  it('leaves all other messages to others', () => {
    const { hear } = openStream();
    expect(hear({ $case: 'heartbeatReply', value: { position: undefined, digest: Buffer.alloc(0) } })).toBe(false);
    expect(hear(undefined)).toBe(false);
  });
});
