import { type NetworkId, type NodeId, networkId, nodeId, WarrenError } from '@warren/base';
import type { NodePresence } from '@warren/db';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type BounceWatchOptions, bounceTimes, watchBounces } from './bounce-watch.js';
import type { PresenceWatch } from './presence-watch.js';

const TIMES = bounceTimes(15_000);
const NET = networkId('net');
const OTHER_NET = networkId('other');

/** A database and a clock that the test owns, and replicas with streams that it opens and closes. */
class Scene {
  now = 1_000_000;
  failing = false;
  readonly decisions: string[] = [];
  readonly #rows = new Map<NodeId, { networkId: NetworkId; unavailable: boolean; seenAt: number }>();

  join(name: string, network = NET): NodeId {
    this.#rows.set(nodeId(name), { networkId: network, unavailable: false, seenAt: this.now });
    return nodeId(name);
  }
  remove(id: NodeId): void {
    this.#rows.delete(id);
  }

  replica(): { watch: PresenceWatch; connected: Map<NodeId, number>; connect(id: NodeId): void } {
    const connected = new Map<NodeId, number>();
    const log = pino({ level: 'silent' });
    const connectedMs = (_: NetworkId, id: NodeId) => (connected.has(id) ? this.now - connected.get(id)! : undefined);
    const options = { store: this.#store(), connectedMs, times: TIMES, log, now: () => this.now };
    return { watch: watchBounces(options), connected, connect: (id) => void connected.set(id, this.now) };
  }

  /** Moves the clock; every replica looks at its interval. */
  async pass(milliseconds: number, ...replicas: { watch: PresenceWatch }[]): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now += TIMES.interval;
      for (const { watch } of replicas) await watch.look();
    }
  }

  #store(): BounceWatchOptions['store'] {
    const answer = async <T>(value: () => T): Promise<T> => {
      if (this.failing) throw new WarrenError('database-unavailable', 'away');
      return value();
    };
    const decide = (id: NodeId, unavailable: boolean, word: string) => {
      const row = this.#rows.get(id);
      if (!row) throw new WarrenError('not-found', 'gone');
      if (row.unavailable === unavailable) return false;
      row.unavailable = unavailable;
      this.decisions.push(`${word} ${id}`);
      return true;
    };
    return {
      noteSeen: (ids) =>
        answer(() => {
          for (const id of ids) if (this.#rows.has(id)) this.#rows.get(id)!.seenAt = this.now;
        }),
      presences: () =>
        answer(() =>
          [...this.#rows].map(
            ([id, { networkId: network, unavailable, seenAt }]): NodePresence => ({
              ...{ id, networkId: network, unavailable, ephemeralAfterMs: null },
              unseenMs: this.now - seenAt,
            }),
          ),
        ),
      withdrawBounce: (id) => answer(() => decide(id, true, 'withdraw')),
      restoreBounce: (id) => answer(() => decide(id, false, 'restore')),
    };
  }
}

/** Two bounces, both connected to one replica that has been there for long. */
async function settled() {
  const scene = new Scene();
  const replica = scene.replica();
  const [a, b] = [scene.join('a'), scene.join('b')];
  replica.connect(a);
  replica.connect(b);
  await scene.pass(TIMES.patience + TIMES.stable, replica);
  expect(scene.decisions).toEqual([]);
  return { scene, replica, a, b };
}

describe('a bounce', () => {
  it('is withdrawn once it was without a stream for the grace time, and not before', async () => {
    const { scene, replica, a } = await settled();
    replica.connected.delete(a);
    await scene.pass(TIMES.grace - TIMES.interval, replica);
    expect(scene.decisions).toEqual([]);
    await scene.pass(TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a']);
  });

  it('that only reconnects stays', async () => {
    const { scene, replica, a } = await settled();
    for (let i = 0; i < 5; i++) {
      replica.connected.delete(a);
      await scene.pass(TIMES.grace - TIMES.interval, replica);
      replica.connect(a);
      await scene.pass(TIMES.interval, replica);
    }
    expect(scene.decisions).toEqual([]);
  });

  it('stays while no other one of its network is connected, whatever other networks have', async () => {
    const { scene, replica, a, b } = await settled();
    replica.connect(scene.join('c', OTHER_NET));
    replica.connected.delete(a);
    replica.connected.delete(b);
    await scene.pass(10 * TIMES.grace, replica);
    expect(scene.decisions).toEqual([]);
  });

  it('is restored when one stream stood for the stable time; a shorter one counts nothing', async () => {
    const { scene, replica, a } = await settled();
    replica.connected.delete(a);
    await scene.pass(TIMES.grace, replica);
    replica.connect(a);
    await scene.pass(TIMES.stable - TIMES.interval, replica);
    replica.connect(a);
    await scene.pass(TIMES.stable - TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a']);
    await scene.pass(TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a', 'restore a']);
  });

  it('that is back takes over at once when the other one is gone', async () => {
    const { scene, replica, a, b } = await settled();
    replica.connected.delete(a);
    await scene.pass(TIMES.grace, replica);
    replica.connected.delete(b);
    await scene.pass(TIMES.grace, replica);
    expect(scene.decisions).toEqual(['withdraw a']);
    replica.connect(a);
    await scene.pass(TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a', 'restore a']);
    await scene.pass(TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a', 'restore a', 'withdraw b']);
  });

  it('that was never connected is withdrawn too, a grace time after it joined', async () => {
    const { scene, replica } = await settled();
    scene.join('late');
    await scene.pass(TIMES.grace - TIMES.interval, replica);
    expect(scene.decisions).toEqual([]);
    await scene.pass(TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw late']);
  });

  it('connected to another replica is alive, and its death is decided once', async () => {
    const { scene, replica, a } = await settled();
    const other = scene.replica();
    replica.connected.delete(a);
    other.connect(a);
    await scene.pass(4 * TIMES.grace, replica, other);
    expect(scene.decisions).toEqual([]);
    other.connected.delete(a);
    await scene.pass(4 * TIMES.grace, replica, other);
    expect(scene.decisions).toEqual(['withdraw a']);
  });
});

describe('a control plane', () => {
  it('that has just started waits for agents to come back, however long they have been away', async () => {
    const { scene, a, b } = await settled();
    scene.now += 3_600_000;
    const restarted = scene.replica();
    restarted.connect(b);
    await scene.pass(TIMES.patience - TIMES.interval, restarted);
    expect(scene.decisions).toEqual([]);
    restarted.connect(a);
    await scene.pass(10 * TIMES.grace, restarted);
    expect(scene.decisions).toEqual([]);
  });

  it.each([
    [
      'whose database was away',
      async (scene: Scene, replica: ReturnType<Scene['replica']>) => {
        scene.failing = true;
        await scene.pass(TIMES.grace, replica);
        scene.failing = false;
      },
    ],
    [
      'that slept',
      async (scene: Scene) => {
        scene.now += 10 * TIMES.grace;
      },
    ],
  ] as const)('%s waits as after a start', async (_, interrupt) => {
    const { scene, replica, a } = await settled();
    replica.connected.delete(a);
    await interrupt(scene, replica);
    await scene.pass(TIMES.patience - TIMES.interval, replica);
    expect(scene.decisions).toEqual([]);
    await scene.pass(2 * TIMES.interval, replica);
    expect(scene.decisions).toEqual(['withdraw a']);
  });

  it('does not stumble over a bounce that is deleted meanwhile', async () => {
    const { scene, replica, a } = await settled();
    replica.connected.delete(a);
    await scene.pass(TIMES.grace - TIMES.interval, replica);
    scene.remove(a);
    await scene.pass(TIMES.patience, replica);
    expect(scene.decisions).toEqual([]);
  });
});
