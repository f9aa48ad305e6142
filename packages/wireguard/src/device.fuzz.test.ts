import { isDrop } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { describe, expect, it } from 'vitest';
import { MAX_PENDING_TRANSMITS, MAX_RATE_LIMITED_SOURCES } from './constants.js';
import type { PathId } from './device-api.js';
import { CookieGenerator } from './handshake/cookie.js';
import { connectedHosts, type Host, seededRandom, twoHosts } from './testing/two-devices.js';

const SOAK = process.env.WARREN_SOAK !== undefined;
const INPUTS = SOAK ? 2_000_000 : 25_000;
const SEED = Number(process.env.WARREN_SEED ?? 77);
/** Time for a soak; otherwise for a busy machine. */
const TIMEOUT = SOAK ? 3_600_000 : 60_000;

/** Valid datagrams of every type, as bob would get them in the middle of things. */
function corpus(): { bob: Host; datagrams: Uint8Array[] } {
  const { world, alice, bob } = connectedHosts();
  const old = twoHosts();
  old.bob.device.setUnderLoad(true);
  old.alice.send(old.bob);
  old.world.advance(6_000);
  old.bob.send(old.alice);
  old.world.settle();
  world.filter = () => false;
  alice.send(bob);
  alice.send(bob, 1400);
  return { bob, datagrams: [...old.world.log, ...world.log].map((flight) => flight.transmit.datagram) };
}

/** One to three small injuries: bits, bytes, length, a copied piece. */
function mutate(original: Uint8Array, random: (length: number) => Uint8Array): Uint8Array {
  const [count, kind, high, low, value] = random(5) as unknown as [number, number, number, number, number];
  let datagram = original.slice();
  for (let i = 0; i <= count % 3; i++) {
    const at = ((high << 8) | low) % Math.max(1, datagram.length);
    if (kind % 5 === 0) datagram[at]! ^= 1 << (value & 7);
    else if (kind % 5 === 1) datagram[at] = value;
    else if (kind % 5 === 2) datagram = datagram.slice(0, at);
    else if (kind % 5 === 3) datagram = Uint8Array.of(...datagram, ...random(value % 40));
    else datagram.copyWithin(at, value % Math.max(1, datagram.length), (value % 64) + 8);
  }
  return datagram;
}

describe('invariant 7: bytes from a remote never throw and never allocate without bound', () => {
  it('random and mutated datagrams of every type, from many paths', { timeout: TIMEOUT }, () => {
    const { bob, datagrams } = corpus();
    const random = seededRandom(SEED);
    for (let i = 0; i < INPUTS; i++) {
      const datagram = i % 4 ? mutate(datagrams[i % datagrams.length]!, random) : random(random(1)[0]!);
      bob.receive(datagram, (100 + (i % 1000)) as PathId);
      // The world's records are not the device's.
      for (const record of [bob.drops, bob.events, bob.delivered, bob.world.log]) record.length = 0;
    }
    expect(bob.state.indices.size).toBeLessThanOrEqual(4);
    expect(bob.state.transmits.size).toBeLessThanOrEqual(MAX_PENDING_TRANSMITS);
    expect([...bob.device.peers()]).toHaveLength(1);
    const reasons = new Set(bob.device.drops().keys());
    for (const reason of ['unknown-message-type', 'wrong-message-length', 'mac1-mismatch', 'transport-not-authentic']) {
      expect(reasons).toContain(reason);
    }
  });

  it('handshakes that are damaged behind a valid mac1 reach every step and change nothing', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    const random = seededRandom(SEED + 1);
    const macs = new CookieGenerator(nobleProvider, bob.state.local.publicKey);
    for (let i = 0; i < 300; i++) {
      alice.peer(bob).lastSentHandshake = Number.NEGATIVE_INFINITY;
      if (i % 10 === 0) alice.device.initiateHandshake(bob.publicKey, world.now);
      world.settle();
      const datagram = world.log.at(-1)!.transmit.datagram.slice();
      datagram[8 + (random(1)[0]! % 108)]! ^= 1 << (i & 7);
      if (i % 50 === 0) datagram.fill(0, 8, 40); // an ephemeral of low order
      macs.addMacs(datagram, world.now);
      world.now = (world.now + 50) as typeof world.now;
      const before = { path: bob.pathTo(alice), indices: bob.state.indices.size };
      expect(isDrop(bob.receive(datagram, 55 as PathId))).toBe(true);
      expect({ path: bob.pathTo(alice), indices: bob.state.indices.size }).toEqual(before);
    }
    expect([...bob.device.drops().keys()].sort()).toEqual(['handshake-not-authentic', 'low-order-public-key']);
  });

  it('more sources under load than are remembered', () => {
    const { limiter } = twoHosts().bob.state;
    for (let i = 0; i < 3 * MAX_RATE_LIMITED_SOURCES; i++) {
      limiter.allow(Uint8Array.of(10, i >> 16, i >> 8, i, 0, 1), (i >> 10) as never);
    }
    expect(limiter.size).toBeLessThanOrEqual(MAX_RATE_LIMITED_SOURCES);
  });

  it('drops that are frozen singletons: counting a million costs no memory', () => {
    const { bob } = twoHosts();
    const first = bob.receive(new Uint8Array(7), 5 as PathId);
    expect(bob.receive(new Uint8Array(9), 5 as PathId)).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    expect(bob.device.drops().size).toBe(1);
  });
});
