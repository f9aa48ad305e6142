import type { Endpoint } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import { keepAliveMs, registrationKeepAliveMs, staleAfterMs } from './keepalive.js';
import type { LocalNat } from './path-manager-api.js';
import { FakeNat } from './testing/fake-nat.js';
import { FakeNetwork } from './testing/fake-network.js';
import { FakeServer } from './testing/fake-server.js';

const KIND = { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' } as const;
const lasting = (seconds: number | undefined): LocalNat =>
  seconds === undefined ? KIND : { ...KIND, bindingLifetimeMs: seconds * 1_000 };

beforeAll(() => boxesReady);

describe('the interval of keepalives', () => {
  it.each([
    [undefined, 25],
    [0, 10],
    [10, 10],
    [20, 12],
    [30, 18],
    [45, 36],
    [120, 96],
    [180, 110],
  ])('for a binding that lives %s s is %i s', (lifetime, seconds) => {
    expect(keepAliveMs(lasting(lifetime))).toBe(seconds * 1_000);
  });

  it('is not relied on where only our own NAT remembers for long', () => {
    expect(staleAfterMs(lasting(180))).toBe(25_000);
    expect(staleAfterMs(lasting(undefined))).toBe(25_000);
    expect(staleAfterMs(lasting(10))).toBe(10_000);
  });

  it('is the common one without a NAT', () => {
    expect(keepAliveMs({ mapping: 'none', filtering: 'none', bindingLifetimeMs: 180_000 })).toBe(25_000);
  });

  it('towards a server is never longer than it asks for, and shorter only by measurement', () => {
    expect(registrationKeepAliveMs(40_000, undefined)).toBe(40_000);
    expect(registrationKeepAliveMs(40_000, lasting(undefined))).toBe(40_000);
    expect(registrationKeepAliveMs(25_000, lasting(180))).toBe(25_000);
    expect(registrationKeepAliveMs(25_000, lasting(20))).toBe(12_000);
  });
});

/** Two hosts behind NATs that forget, as soon as their path is direct and nothing is sent over it any more. */
function idlePair(forgetsAfterS: number, measuredS: number | undefined) {
  const network = new FakeNetwork([new FakeServer('s1', '203.0.113.1:3478' as Endpoint)]);
  const [alice, bob] = [1, 2].map((n) => {
    const nat = new FakeNat(`198.51.100.${n}` as never, KIND, { lifetime: forgetsAfterS * 1_000 });
    const host = network.add(`192.168.${n}.2`, nat);
    network.start(host);
    return host;
  }) as [ReturnType<FakeNetwork['add']>, ReturnType<FakeNetwork['add']>];
  network.introduce(alice, bob);
  network.pass(200);
  const direct = () => {
    alice.send(bob);
    bob.send(alice);
    return alice.pathTo(bob)?.kind === 'udp';
  };
  network.until(direct, 5_000, 'a direct path');
  network.pass(3_000);
  // Measured while the path is in use, as it takes minutes.
  for (const host of [alice, bob]) host.manager.setNat(lasting(measuredS), network.now);
  const seen = { straight: 0, toServers: 0 };
  network.cut = (from, to) => {
    if (from === alice && to.startsWith('198.51.100.2:')) seen.straight++;
    if (from === alice && to.startsWith('203.0.113.1:')) seen.toServers++;
    return false;
  };
  const place = () => alice.manager.servers().map(({ reflexive }) => reflexive)[0];
  return { network, alice, bob, seen, place };
}

describe('an idle direct path', () => {
  it('is kept by hardly a packet where the NAT remembers for long, and used again without a loss', () => {
    for (const [measured, least, most] of [
      [120, 0, 0],
      [undefined, 3, 12],
    ] as const) {
      const { network, alice, bob, seen } = idlePair(125, measured);
      network.pass(90_000);
      expect(seen.straight).toBeGreaterThanOrEqual(least);
      expect(seen.straight).toBeLessThanOrEqual(most);
      expect(seen.toServers).toBeGreaterThanOrEqual(3);
      const sequence = alice.send(bob);
      expect(alice.pathTo(bob)?.kind).toBe('udp');
      network.pass(100);
      expect(bob.received).toContain(sequence);
      const settled = alice.manager.report(bob.publicKey, network.now);
      expect(settled).toMatchObject({ path: { kind: 'udp' }, also: undefined, proven: true });
    }
  });

  it('is kept where the NAT forgets fast and that was measured, at servers too', () => {
    for (const [measured, kept] of [
      [10, true],
      [undefined, false],
    ] as const) {
      const { network, alice, bob, place } = idlePair(15, measured);
      const before = place();
      network.pass(100_000);
      expect(place() === before).toBe(kept);
      const sequence = alice.send(bob);
      network.pass(100);
      expect(bob.received.has(sequence)).toBe(true);
    }
  });
});
