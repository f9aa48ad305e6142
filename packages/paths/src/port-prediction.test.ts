import type { Endpoint } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NatKind } from './path-manager-api.js';
import type { FakeHost } from './testing/fake-host.js';
import { FakeNat } from './testing/fake-nat.js';
import { FakeNetwork } from './testing/fake-network.js';
import { FakeServer } from './testing/fake-server.js';

const EI = 'endpoint-independent' as const;
const APD = 'address-and-port-dependent' as const;
const DEPENDENT: NatKind = { mapping: APD, filtering: APD };
const KEEPING: NatKind = { mapping: EI, filtering: APD };

beforeAll(() => boxesReady);

/** `ours` × `theirs`, with prediction on or off, and traffic from the first to the second. */
function pair(
  ours: NatKind,
  theirs: NatKind,
  options: { on?: boolean; random?: boolean; seed?: number; flip?: boolean },
) {
  const { on = true, random = true, seed = 1 } = options;
  const servers = [1, 2].map((n) => new FakeServer(`s${n}`, `203.0.113.${n}:3478` as Endpoint));
  const network = new FakeNetwork(servers);
  const natA = new FakeNat('198.51.100.1' as never, ours, { random, seed });
  const natB = new FakeNat('198.51.100.2' as never, theirs, { random, seed: seed + 1 });
  const alice = network.add('192.168.1.2', natA, { predictPorts: on, seed });
  const bob = network.add('192.168.1.3', natB, { predictPorts: on, seed: seed + 7 });
  for (const host of [alice, bob]) network.start(host);
  network.introduce(alice, bob);
  network.pass(200);
  return { network, alice, bob };
}

/** Sends every 100 ms. @returns when both were direct, milliseconds; undefined when they were not within `ms`. */
function directAfter(network: FakeNetwork, a: FakeHost, b: FakeHost, ms: number): number | undefined {
  const isDirect = (x: FakeHost, y: FakeHost): boolean => x.pathTo(y)?.kind === 'udp';
  for (let passed = 0; passed < ms; passed += 100) {
    if (isDirect(a, b) && isDirect(b, a)) return passed;
    a.send(b);
    network.pass(100);
  }
  return undefined;
}

describe('port prediction', () => {
  it.each([
    ['dependent mapping here', DEPENDENT, KEEPING],
    ['dependent mapping there', KEEPING, DEPENDENT],
  ])('finds a direct path in nine of ten tries, %s', (_, ours, theirs) => {
    const times = Array.from({ length: 10 }, (_, seed) => {
      const { network, alice, bob } = pair(ours, theirs, { seed: seed * 31 + 5 });
      return directAfter(network, alice, bob, 15_000);
    });
    expect(times.filter((time) => time !== undefined).length, `${times}`).toBeGreaterThanOrEqual(9);
  });

  it('keeps the one socket that was found, closes all others, and goes on over it', () => {
    const { network, alice, bob } = pair(DEPENDENT, KEEPING, {});
    expect(directAfter(network, alice, bob, 15_000)).toBeDefined();
    network.pass(11_000);
    const path = alice.pathTo(bob);
    expect(path?.kind === 'udp' && [...alice.sockets.keys()]).toEqual([0, path?.kind === 'udp' && path.socket]);
    const sequence = bob.send(alice);
    network.pass(200);
    expect(alice.received).toContain(sequence);
    expect(alice.manager.report(bob.publicKey, network.now)).toMatchObject({ proven: true, reason: undefined });
  });

  it('tries the next ports first where the NAT counts', () => {
    const { network, alice, bob } = pair(DEPENDENT, KEEPING, { random: false });
    expect(directAfter(network, alice, bob, 15_000)).toBeLessThan(2_000);
  });

  it('is bounded in probes, sockets and time when nothing is found', () => {
    const { network, alice, bob } = pair(DEPENDENT, KEEPING, {});
    network.cut = (from, to) => !('endpoint' in from && 'description' in from) && !to.startsWith('203.0.113.');
    const before = [alice.probes, bob.probes];
    directAfter(network, alice, bob, 20_000);
    expect(bob.probes - before[1]!).toBeLessThan(2_500 + 300);
    expect(alice.probes - before[0]!).toBeLessThan(170 * 4 + 500);
    expect([...alice.sockets.keys()]).toEqual([0]);
    expect(alice.events.filter(({ type }) => type === 'open-socket')).toHaveLength(170);
  });

  it.each([
    ['it is switched off', DEPENDENT, KEEPING, false],
    ['both mappings are dependent', DEPENDENT, DEPENDENT, true],
    ['plain punching works', KEEPING, KEEPING, true],
  ])('opens no socket when %s', (_, ours, theirs, on) => {
    const { network, alice, bob } = pair(ours, theirs, { on });
    directAfter(network, alice, bob, 4_000);
    expect([...alice.events, ...bob.events].some(({ type }) => type === 'open-socket')).toBe(false);
  });
});
