import { type NetworkId, type NodeId, networkId, nodeId, WarrenError } from '@warren/base';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { EPHEMERAL_GRACE, type EphemeralWatchOptions, ephemeralTimes, watchEphemeral } from './ephemeral-watch.js';
import type { PresenceWatch } from './presence-watch.js';

const TIMES = ephemeralTimes(EPHEMERAL_GRACE);
const NET = networkId('net');

interface Replica {
  readonly watch: PresenceWatch;
  /** When each stream was opened. */
  readonly streams: Map<NodeId, number>;
}

/** A database and a clock that the test owns, and replicas with streams that it opens and closes. */
class Scene {
  now = 1_000_000;
  failing = false;
  /** What the network says. */
  after: number | null = null;
  /** A node that is deleted by somebody else when it is about to be removed. */
  leftMeanwhile: NodeId | undefined;
  readonly removed: string[] = [];
  readonly #seenAt = new Map<NodeId, number>();

  join(name: string): NodeId {
    this.#seenAt.set(nodeId(name), this.now);
    return nodeId(name);
  }

  replica(...nodes: NodeId[]): Replica {
    const streams = new Map(nodes.map((id) => [id, this.now]));
    const connectedMs = (_: NetworkId, id: NodeId) => (streams.has(id) ? this.now - streams.get(id)! : undefined);
    const options = { store: this.#store(), connectedMs, times: TIMES, now: () => this.now };
    return { watch: watchEphemeral({ ...options, log: pino({ level: 'silent' }) }), streams };
  }

  /** Moves the clock; every replica looks at its interval. */
  async pass(milliseconds: number, ...replicas: Replica[]): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now += TIMES.interval;
      for (const { watch } of replicas) await watch.look();
    }
  }

  #store(): EphemeralWatchOptions['store'] {
    const answer = async <T>(value: () => T): Promise<T> => {
      if (this.failing) throw new WarrenError('database-unavailable', 'away');
      return value();
    };
    const remove = (id: NodeId, unseenMs: number): boolean => {
      const seenAt = id === this.leftMeanwhile ? undefined : this.#seenAt.get(id);
      if (seenAt === undefined) throw new WarrenError('not-found', 'gone');
      if (this.now - seenAt < unseenMs) return false;
      this.removed.push(id);
      return this.#seenAt.delete(id);
    };
    const row = { networkId: NET, unavailable: false, ephemeralAfterMs: this.after };
    const rows = () => [...this.#seenAt].map(([id, at]) => ({ ...row, id, unseenMs: this.now - at }));
    return {
      noteSeen: (ids) =>
        answer(() => {
          for (const id of ids) this.#seenAt.set(id, this.now);
        }),
      presences: () => answer(rows),
      removeEphemeral: (id, unseenMs) => answer(() => remove(id, unseenMs)),
    };
  }
}

/** One ephemeral node, connected to one replica that has been there for long. */
async function settled() {
  const scene = new Scene();
  const a = scene.join('a');
  const replica = scene.replica(a);
  await scene.pass(3 * TIMES.patience, replica);
  expect(scene.removed).toEqual([]);
  return { scene, replica, a };
}

describe('an ephemeral node', () => {
  it('is removed once it was without a stream for five minutes, and not before', async () => {
    const { scene, replica, a } = await settled();
    replica.streams.delete(a);
    await scene.pass(300_000, replica);
    expect(scene.removed).toEqual([]);
    await scene.pass(TIMES.interval, replica);
    expect(scene.removed).toEqual(['a']);
  });

  it('that only reconnects stays', async () => {
    const { scene, replica, a } = await settled();
    for (let i = 0; i < 4; i++) {
      replica.streams.delete(a);
      await scene.pass(EPHEMERAL_GRACE, replica);
      replica.streams.set(a, scene.now);
      await scene.pass(TIMES.interval, replica);
    }
    expect(scene.removed).toEqual([]);
  });

  it('that was never connected is removed too, from when it joined', async () => {
    const { scene, replica } = await settled();
    scene.join('late');
    await scene.pass(EPHEMERAL_GRACE, replica);
    expect(scene.removed).toEqual([]);
    await scene.pass(TIMES.interval, replica);
    expect(scene.removed).toEqual(['late']);
  });

  it('connected to another replica is alive, and its going is decided once', async () => {
    const { scene, replica, a } = await settled();
    const other = scene.replica(a);
    replica.streams.delete(a);
    await scene.pass(4 * EPHEMERAL_GRACE, replica, other);
    expect(scene.removed).toEqual([]);
    other.streams.delete(a);
    await scene.pass(4 * EPHEMERAL_GRACE, replica, other);
    expect(scene.removed).toEqual(['a']);
  });
});

describe('a control plane that just started', () => {
  it('gives all who were away meanwhile the whole time to come back, and removes those that do not', async () => {
    const { scene, a } = await settled();
    const b = scene.join('b');
    scene.now += 3_600_000;
    const restarted = scene.replica();
    await scene.pass(EPHEMERAL_GRACE - TIMES.interval, restarted);
    expect(scene.removed).toEqual([]);
    restarted.streams.set(a, scene.now);
    await scene.pass(TIMES.interval, restarted);
    expect(scene.removed).toEqual([b]);
  });

  it.each([
    [
      'whose database was away',
      async (scene: Scene, replica: Replica) => {
        scene.failing = true;
        await scene.pass(2 * EPHEMERAL_GRACE, replica);
        scene.failing = false;
      },
    ],
    [
      'that slept',
      async (scene: Scene) => {
        scene.now += 3_600_000;
      },
    ],
  ] as const)('is the same as one %s', async (_, interrupt) => {
    const { scene, replica, a } = await settled();
    replica.streams.delete(a);
    await interrupt(scene, replica);
    await scene.pass(EPHEMERAL_GRACE - TIMES.interval, replica);
    expect(scene.removed).toEqual([]);
    await scene.pass(2 * TIMES.interval, replica);
    expect(scene.removed).toEqual(['a']);
  });
});

it('a node that leaves between look and decision keeps no other one', async () => {
  const { scene, replica, a } = await settled();
  const b = scene.join('b');
  replica.streams.delete(a);
  scene.leftMeanwhile = a;
  await scene.pass(EPHEMERAL_GRACE + TIMES.interval, replica);
  expect(scene.removed).toEqual([b]);
});
