import { type Instant, type IpAddress, isDrop } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressAttribute, xorMappedAddressAttribute } from './attributes.js';
import { BINDING_METHOD } from './constants.js';
import { createNatDiscovery, type DiscoveryTransmit } from './discovery.js';
import { decodeMessage, encodeMessage } from './message.js';
import { type Behaviour, NatWorld, type WorldOptions } from './testing/nat-world.js';

const KINDS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
const NINE = KINDS.flatMap((mapping) => KINDS.map((filtering) => ({ mapping, filtering })));
const discover = (options: WorldOptions) => new NatWorld(options).run();

describe('nine kinds of NAT are told apart', () => {
  it.each(NINE)('mapping $mapping, filtering $filtering', (kind) => {
    for (const servers of [['two'], ['one', 'one'], ['plain', 'two'], ['one', 'dead', 'one', 'one']] as const) {
      expect(discover({ ...kind, servers })).toMatchObject({ ...kind, udp: true });
    }
  });
});

describe('what one server with one address shows', () => {
  const one = (mapping: Behaviour, filtering: Behaviour) => discover({ mapping, filtering, servers: ['one'] });

  it('is said, the rest is unknown', () => {
    const [free, byAddress, byBoth] = KINDS;
    expect(one(free, free)).toMatchObject({ mapping: 'unknown', filtering: 'unknown' });
    expect(one(byAddress, byAddress)).toMatchObject({ mapping: 'unknown', filtering: 'unknown' });
    expect(one(byBoth, byBoth)).toMatchObject({ mapping: byBoth, filtering: byBoth });
  });

  it('is where it sees us, for a server that knows STUN alone', () => {
    const [mapping, filtering] = KINDS;
    expect(discover({ mapping, filtering, servers: ['plain'] })).toMatchObject({
      ...{ udp: true, mapping: 'unknown', filtering: 'unknown' },
      reflexive: [{ address: '203.0.113.9' }],
    });
  });
});

describe('a hostile server', () => {
  /** All that is sent when a server says, of whoever asks, that it sees him there. */
  function sentWhenSeenAt(address: string, port: number): DiscoveryTransmit[] {
    const endpoint = { address: '192.0.2.1' as IpAddress, port: 3_478 };
    const mapped = { address: address as IpAddress, port };
    let [count, now] = [0, 1_000];
    const random = (length: number) => new Uint8Array(length).fill(++count);
    const servers = [{ id: 'hostile', endpoint }];
    const discovery = createNatDiscovery({ servers, localAddresses: [], random, now: now as Instant });
    const sent: DiscoveryTransmit[] = [];
    for (; !discovery.result(); now += 50) {
      for (let out = discovery.pollTransmit(); out; out = discovery.pollTransmit()) {
        sent.push(out);
        const request = decodeMessage(out.datagram);
        if (isDrop(request)) throw new Error('no request');
        const { transactionId } = request;
        const other = addressAttribute('OTHER-ADDRESS', { ...endpoint, port: 3_479 });
        const attributes = [xorMappedAddressAttribute(mapped, transactionId), other];
        const answer = encodeMessage({ class: 'success', method: BINDING_METHOD, transactionId, attributes });
        discovery.handleDatagram(out.socket, answer, out.to, now as Instant);
      }
      discovery.handleTimeout(now as Instant);
    }
    return sent;
  }

  it('has nothing sent to where no socket can send, by saying that it sees us there', () => {
    expect(sentWhenSeenAt('203.0.113.9', 4_000).some(({ to }) => to.address === '203.0.113.9')).toBe(true); // to ourselves
    for (const [address, port] of [
      ['203.0.113.9', 0],
      ['2001:db8::1', 4_000],
    ] as const) {
      expect(sentWhenSeenAt(address, port).map(({ to }) => to.address)).not.toContain(address);
    }
  });
});

describe('a discovery', () => {
  it('finds that there is no NAT, with and without a firewall', () => {
    expect(discover({ servers: ['two'] })).toMatchObject({
      mapping: 'none',
      filtering: 'none',
      hairpinning: undefined,
    });
    expect(discover({ servers: ['one', 'one'] })).toMatchObject({ mapping: 'none', filtering: 'none' });
    for (const filtering of KINDS.slice(1)) {
      expect(discover({ filtering, servers: ['two'] })).toMatchObject({ mapping: 'none', filtering });
    }
  });

  it('finds hairpinning and its absence', () => {
    for (const filtering of KINDS) {
      for (const hairpinning of [true, false]) {
        const found = discover({ mapping: 'endpoint-independent', filtering, hairpinning, servers: ['one', 'one'] });
        expect(found.hairpinning).toBe(hairpinning);
      }
    }
  });

  it('finds that UDP is blocked, in less than four seconds', () => {
    const world = new NatWorld({ servers: ['dead', 'dead'] });
    expect(world.run()).toMatchObject({ udp: false, mapping: 'unknown', filtering: 'unknown', reflexive: [] });
    expect(world.now - 1_000).toBeLessThan(4_000);
    expect(discover({ servers: [] })).toMatchObject({ udp: false, mapping: 'unknown' });
  });

  it('measures each server', () => {
    const { servers } = discover({ mapping: KINDS[0], filtering: KINDS[0], servers: ['one', 'dead'] });
    expect(servers).toMatchObject([
      { id: 'server-0', rttMs: 40, reflexive: { address: '203.0.113.9' } },
      { id: 'server-1', rttMs: undefined, reflexive: undefined },
    ]);
  });

  it('is cheap and short', () => {
    for (const kind of NINE) {
      const world = new NatWorld({ ...kind, servers: ['two', 'two', 'two'] });
      world.run();
      expect(world.sent).toBeLessThan(50);
      expect(world.now - 1_000).toBeLessThan(8_000);
    }
  });

  it('is not led astray by a packet in ten lost: what it says is so, or unknown', () => {
    const kind = fc.constantFrom(...NINE);
    const servers = fc.constantFrom(['two'] as const, ['one', 'one'] as const, ['two', 'one', 'plain'] as const);
    const losses = fc.infiniteStream(fc.integer({ min: 0, max: 9 }));
    let wrong = 0;
    let runs = 0;
    const property = fc.property(kind, servers, losses, (nat, some, stream) => {
      const found = discover({ ...nat, servers: some, loses: () => stream.next().value === 0 });
      runs++;
      expect(found.udp).toBe(true);
      // A test and all its repetitions lost look like a NAT that filters.
      for (const what of ['mapping', 'filtering'] as const) {
        if (found[what] !== nat[what] && found[what] !== 'unknown') wrong++;
      }
    });
    fc.assert(property, { numRuns: 300, seed: 5 });
    expect(wrong).toBeLessThan(runs / 50);
  });
});
