import { X509Certificate } from 'node:crypto';
import { nodeId } from '@warren/base';
import { decodeTombstone, verifyTombstone } from '@warren/identity';
import { Role } from '@warren/proto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openCertificateAuthority } from '../ca/certificate-authority.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent, type JoinOptions } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
let agents: FakeAgent[] = [];
let names = 0;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());
afterEach(async () => {
  for (const agent of agents) agent.close();
  const { store } = plane.context;
  for (const { id, status } of (await store.listNodes({ limit: 500 })).items) {
    if (status === 'active') await store.deleteNode(id as never, 'local');
  }
  agents = [];
});

/** A name that nobody in this file had. */
const fresh = (prefix: string): string => `${prefix}-${++names}`;

async function join(options: Partial<JoinOptions> & { name: string }): Promise<FakeAgent> {
  const agent = await FakeAgent.join(await plane.token(), options);
  agents.push(agent);
  return agent;
}
const bounce = (name = fresh('bounce')): Promise<FakeAgent> =>
  join({ name, role: Role.ROLE_BOUNCE, endpoint: '203.0.113.1:51820' });
const revoke = (agent: FakeAgent) => plane.context.store.revokeNode(agent.nodeId as never, 'local');

describe('a first sync', () => {
  it('sends a snapshot with oneself and every peer, and its digest is the sum over the bytes', async () => {
    const hub = await bounce();
    const laptop = await join({ name: fresh('laptop') });
    const stream = await laptop.sync().synced();
    expect(stream.snapshots).toHaveLength(1);
    expect(stream.self).toMatchObject({
      nodeId: laptop.nodeId,
      role: Role.ROLE_CLIENT,
      networkName: 'default',
      mtu: 1400,
    });
    expect(stream.peers.map((peer) => peer.nodeId)).toEqual([hub.nodeId]);
    stream.heartbeat();
    await until(() => stream.replies.length > 0, 'reply');
    expect(stream.replies[0]!.digest).toEqual(stream.digest);
    expect(stream.replies[0]!.position).toEqual(stream.position);
    expect(stream.peers[0]!.record!.record.length).toBeGreaterThan(0);
  });

  it('tells a bounce what it forwards', async () => {
    const stream = await (await bounce()).sync().synced();
    expect(stream.self!.forward).toEqual(stream.self!.cidrs);
  });
});

describe('changes', () => {
  it('reach agents as deltas that follow each other, and both ends agree on the digest', async () => {
    const a = await (await bounce()).sync().synced();
    for (const name of ['x', 'y', 'z']) await join({ name: fresh(name) });
    await until(() => a.entries.size === 3, 'three peers');
    expect(a.snapshots).toHaveLength(1);
    a.heartbeat();
    await until(() => a.replies.length > 0, 'reply');
    expect(a.replies[0]!.digest).toEqual(a.digest);
  });

  it('are seen by all whom they touch', async () => {
    const relay = await bounce();
    const [one, two] = [await join({ name: fresh('one') }), await join({ name: fresh('two') })];
    const streams = [relay, one, two].map((agent) => agent.sync());
    await Promise.all(streams.map((stream) => stream.synced()));
    const late = await join({ name: fresh('late') });
    await until(() => streams.every((stream) => stream.entries.has(late.nodeId)), 'everybody sees it');
    for (const stream of streams) stream.heartbeat();
    await until(() => streams.every((stream) => stream.replies.length > 0), 'replies');
    for (const stream of streams) expect(stream.replies[0]!.digest).toEqual(stream.digest);
  });

  it('of its own name are told to a node, and of a bounce to those who are led through it', async () => {
    const relay = await bounce();
    const one = await join({ name: fresh('one') });
    const phone = await plane.vanilla(fresh('phone'));
    const [own, other] = [await relay.sync().synced(), await one.sync().synced()];
    const renamed = fresh('renamed');
    await plane.context.store.updateNode(relay.nodeId as never, { name: renamed }, 'local');
    await until(() => own.self?.name === renamed, 'own name');
    await until(() => other.peers.find((peer) => peer.nodeId === phone.id)?.via === renamed, 'via');
    other.heartbeat();
    await until(() => other.replies.length > 0, 'reply');
    expect(other.replies[0]!.digest).toEqual(other.digest);
    expect(other.farewell).toBeUndefined();
  });
});

describe('a changed network', () => {
  it('is sent as a whole', async () => {
    const stream = await (await bounce()).sync().synced();
    await plane.context.store.updateNetwork(plane.network!.id, { mtu: 1380 }, 'local');
    await until(() => stream.self?.mtu === 1380, 'new MTU');
    expect(stream.snapshots).toHaveLength(2);
    await plane.context.store.updateNetwork(plane.network!.id, { mtu: 1400 }, 'local');
    await until(() => stream.self?.mtu === 1400, 'old MTU');
  });
});

describe('resuming', () => {
  it('from before the log begins gets a snapshot', async () => {
    const relay = await bounce();
    const first = await relay.sync().synced();
    first.cancel();
    await join({ name: fresh('later') });
    await join({ name: fresh('latest') });
    await plane.context.store.pruneChanges(1);
    const second = await relay.sync({ position: first.position, held: first.entries }).synced();
    expect(second.snapshots).toHaveLength(1);
    expect(second.entries.size).toBe(2);
  });

  it('sends only what happened meanwhile, removals included', async () => {
    const relay = await bounce();
    const gone = await join({ name: fresh('gone') });
    const first = await relay.sync().synced();
    await first.sees(...first.names);
    first.cancel();
    await until(() => first.ended !== undefined, 'end');
    await plane.context.store.deleteNode(gone.nodeId as never, 'local');
    const added = await join({ name: fresh('added') });
    const second = await relay.sync({ position: first.position, held: first.entries }).synced();
    expect(second.snapshots).toHaveLength(0);
    expect(second.deltas[0]).toMatchObject({ remove: [gone.nodeId] });
    expect([...second.entries.keys()]).toEqual([added.nodeId]);
    second.heartbeat();
    await until(() => second.replies.length > 0, 'reply');
    expect(second.replies[0]!.digest).toEqual(second.digest);
  });

  it('at the current revision sends an empty delta', async () => {
    const relay = await bounce();
    const first = await relay.sync().synced();
    const second = await relay.sync({ position: first.position, held: first.entries }).synced();
    expect(second.snapshots).toHaveLength(0);
    expect(second.deltas[0]).toMatchObject({ upsert: [], remove: [], to: first.position });
  });

  it.each([
    ['another epoch', { epoch: 99, revision: 1 }],
    ['a revision from the future', { epoch: 1, revision: 1_000_000 }],
  ])('from %s gets a snapshot', async (_, position) => {
    const stream = await (await bounce()).sync({ position, held: new Map() }).synced();
    expect(stream.snapshots).toHaveLength(1);
  });

  it('with a digest that is not what it should hold gets a snapshot', async () => {
    const relay = await bounce();
    const first = await relay.sync().synced();
    const second = await relay.sync({ position: first.position, digest: new Uint8Array(32).fill(7) }).synced();
    expect(second.snapshots).toHaveLength(1);
  });
});

describe('a heartbeat', () => {
  it('with another digest at the same position ends with resync', async () => {
    const stream = await (await bounce()).sync().synced();
    stream.heartbeat(new Uint8Array(32).fill(1));
    await until(() => stream.ended !== undefined, 'end');
    expect(stream.farewell?.code).toBe('resync');
  });
});

describe('revoking', () => {
  it('ends the node with its tombstone, tells the others, and refuses its certificate', async () => {
    const relay = await bounce();
    const bad = await join({ name: fresh('bad') });
    const [other, victim] = [await relay.sync().synced(), await bad.sync().synced()];
    await revoke(bad);
    await until(() => victim.ended !== undefined && !other.entries.has(bad.nodeId), 'both know');
    expect(victim.farewell?.code).toBe('node-revoked');
    const tombstone = verifyTombstone(bad.joined.authorityKey, victim.farewell!.tombstone!);
    expect(tombstone?.nodeId).toBe(bad.nodeId);
    expect(other.tombstones.map((row) => decodeTombstone(row.tombstone)?.nodeId)).toContain(bad.nodeId);
    expect(other.deltas.at(-1)!.remove).toEqual([bad.nodeId]);
    const again = await bad.sync({ startGeneration: 2 }).synced();
    expect(again.ended).toBe('node-revoked');
    await expect(bad.renew()).rejects.toThrow('node-revoked');
    await expect(bad.leave()).rejects.toThrow('node-revoked');
  });

  it('is remembered: a later snapshot carries the tombstone', async () => {
    const bad = await join({ name: fresh('bad') });
    await revoke(bad);
    const stream = await (await bounce()).sync().synced();
    expect(stream.tombstones.map((row) => decodeTombstone(row.tombstone)?.nodeId)).toContain(bad.nodeId);
  });
});

describe('clones', () => {
  it('with an older start generation are sent away', async () => {
    const relay = await bounce();
    await relay.sync({ startGeneration: 5 }).synced();
    const stale = await relay.sync({ startGeneration: 4 }).synced();
    await until(() => stale.ended !== undefined, 'end');
    expect(stale.farewell?.code).toBe('clone');
  });

  it('that start later are sent away, too, while the first one is alive; the operator is told', async () => {
    const relay = await bounce();
    const { store } = plane.context;
    const first = await relay.sync({ startGeneration: 5 }).synced();
    const second = await relay.sync({ startGeneration: 6 }).synced();
    await until(() => second.ended !== undefined, 'end');
    expect(second.farewell?.code).toBe('clone');
    expect(first.ended).toBeUndefined();
    const noticed = async () => (await store.findNode(relay.nodeId as never))!.cloneNoticedAt;
    await until(async () => (await noticed()) !== null, 'noticed');
    const { items } = await store.audit();
    expect(items.find(({ action, subject }) => action === 'node.clone' && subject === relay.nodeId)).toMatchObject({
      actor: 'control',
      details: { startGeneration: 6, from: '127.0.0.1' },
    });
    // The copy has claimed nothing: the first one may connect again.
    first.cancel();
    expect((await relay.sync({ startGeneration: 5 }).synced()).snapshots).toHaveLength(1);
  });

  it('are not seen in an agent that was started again and whose old stream answers no more', async () => {
    const relay = await bounce();
    const first = await relay.sync({ startGeneration: 5 }).synced();
    first.pause();
    const second = await relay.sync({ startGeneration: 6 }).synced();
    expect(second.snapshots).toHaveLength(1);
    expect((await plane.context.store.findNode(relay.nodeId as never))!.cloneNoticedAt).toBeNull();
    first.resume();
  });

  it('are not seen in an agent that connects again before its old stream was noticed dead', async () => {
    const relay = await bounce();
    const first = await relay.sync({ startGeneration: 5 }).synced();
    const second = await relay.sync({ startGeneration: 5, position: first.position, held: first.entries }).synced();
    await until(() => first.ended !== undefined, 'end');
    expect(first.farewell).toBeUndefined();
    expect(second.farewell).toBeUndefined();
  });

  it('that push each other out again and again are told', async () => {
    const relay = await bounce();
    let last = await relay.sync({ startGeneration: 9 }).synced();
    for (let i = 0; i < 8 && !last.farewell; i++) last = await relay.sync({ startGeneration: 9 }).synced();
    expect(last.farewell?.code).toBe('clone');
  });
});

describe('who may sync', () => {
  it('nobody without a certificate', async () => {
    const relay = await bounce();
    const stream = await relay.sync({}, null).synced();
    expect(stream.ended).toBe('certificate-required');
  });

  it('nobody with a certificate of another authority, or one that has expired', async () => {
    const relay = await bounce();
    const kept = new Map<string, Uint8Array>();
    const foreign = await openCertificateAuthority(async (name, make) => {
      if (!kept.has(name)) kept.set(name, await make());
      return kept.get(name)!;
    });
    const { store } = plane.context;
    const threeDaysAgo = (): Date => new Date(Date.now() - 3 * 86_400_000);
    const ours = await openCertificateAuthority((name, make) => store.secret(name, make), threeDaysAgo);
    const subject = {
      nodeId: nodeId(relay.nodeId),
      networkId: plane.network!.id,
      identityKey: Uint8Array.from(relay.request.record!.identityKey),
    };
    for (const authority of [foreign, ours]) {
      const stream = await relay.sync({}, await authority.issueAgent(subject)).synced();
      expect(stream.ended).toBe('certificate-required');
    }
  });

  it('no node under the certificate of another', async () => {
    const [one, two] = [await bounce(), await join({ name: fresh('two') })];
    const stream = await one.sync({ nodeId: two.nodeId }).synced();
    expect(stream.ended).toBe('forbidden');
  });

  it('a node that was removed is told so: in its stream, when it comes back, and when it renews', async () => {
    const relay = await bounce();
    const stream = await relay.sync().synced();
    await relay.leave();
    await until(() => stream.farewell !== undefined, 'farewell');
    expect(stream.farewell).toMatchObject({ code: 'node-removed', tombstone: undefined });
    expect(stream.farewell?.message).toBe('this node was removed; join again with a new token');
    expect((await relay.sync().synced()).ended).toBe('node-removed');
    await expect(relay.renew()).rejects.toThrow('node-removed');
    await expect(relay.leave()).rejects.toThrow('node-removed');
  });

  it('a node that is removed while it says hello is not taken for a clone', async () => {
    const relay = await bounce();
    const { store, hubs } = plane.context;
    const hub = await hubs.current(plane.network!.id);
    // The hub has let it in; before it claims its generation, the node goes.
    const claim = vi.spyOn(store, 'claimGeneration').mockImplementationOnce(async (id) => {
      await store.deleteNode(id, 'local');
      return false;
    });
    const stream = await relay.sync().synced();
    await until(() => stream.farewell !== undefined, 'farewell');
    claim.mockRestore();
    expect(stream.farewell?.code).toBe('node-removed');
    expect(hub.sessions.has(relay.nodeId as never)).toBe(false);
  });

  it('a stream that does not begin with hello is refused', async () => {
    const relay = await bounce();
    const stream = await relay.sync({ startGeneration: 0 }).synced();
    expect(stream.ended).toBe('bad-request');
  });

  it('a renewed certificate works', async () => {
    const relay = await bounce();
    const { certificateChain } = await relay.renew();
    expect(new X509Certificate(certificateChain[0]!).subject).toContain(relay.nodeId);
    expect((await relay.sync({}, certificateChain).synced()).snapshots).toHaveLength(1);
  });
});

describe('presence', () => {
  it('is derived from open streams', async () => {
    const relay = await bounce();
    const { hubs } = plane.context;
    const network = plane.network!.id;
    const stream = await relay.sync().synced();
    expect(hubs.isOnline(network, relay.nodeId as never)).toBe(true);
    stream.cancel();
    await until(() => !hubs.isOnline(network, relay.nodeId as never), 'offline');
  });
});
