import type { IpAddress } from '@warren/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Behaviour, Nat, type NatKind } from './nat.js';
import type { SocketAddress } from './packet.js';
import { Random } from './random.js';

const PUBLIC = '203.0.113.1' as IpAddress;
const same = (a: SocketAddress, b: SocketAddress) => a.address === b.address && a.port === b.port;

/** Whether a behaviour takes two remote endpoints for the same: RFC 4787's own words, §4.1 and §5. */
function alike(behaviour: Behaviour, a: SocketAddress, b: SocketAddress): boolean {
  if (behaviour === 'address-dependent') return a.address === b.address;
  if (behaviour === 'address-and-port-dependent') return same(a, b);
  return true;
}

/** Every packet that ever passed, and which mapping it went through: all that is known follows from this list. */
interface Passed {
  readonly way: 'out' | 'in';
  readonly time: number;
  readonly mapping: number;
  readonly internal: SocketAddress;
  readonly external: SocketAddress;
  readonly remote: SocketAddress;
}

class Oracle {
  private readonly history: Passed[] = [];
  private mappings = 0;

  constructor(private readonly kind: NatKind) {}

  outbound(internal: SocketAddress, remote: SocketAddress, external: SocketAddress, time: number): void {
    const last = this.history.findLast((p) => same(p.internal, internal) && alike(this.kind.mapping, p.remote, remote));
    let mapping = last && this.lives(last.mapping, time) ? last.mapping : undefined;
    if (mapping !== undefined) expect(external).toEqual(last!.external);
    else {
      const inUse = (port: number) =>
        this.history.some(
          (p) => p.external.port === port && p.external.address === external.address && this.lives(p.mapping, time),
        );
      expect(inUse(external.port)).toBe(false);
      if (this.kind.mapping === 'none') expect(external).toEqual(internal);
      else expect(external.address).toBe(PUBLIC);
      if (this.kind.ports === 'preserving' && !inUse(internal.port)) expect(external.port).toBe(internal.port);
      mapping = ++this.mappings;
    }
    this.history.push({ way: 'out', time, mapping, internal, external, remote });
  }

  inbound(external: SocketAddress, remote: SocketAddress, time: number): SocketAddress | string {
    const known = this.history.findLast((p) => same(p.external, external));
    if (!known || !this.lives(known.mapping, time)) return 'no-mapping';
    const permitted = this.history.some(
      (p) => p.mapping === known.mapping && this.refreshes(p, time) && alike(this.kind.filtering, p.remote, remote),
    );
    const filters = this.kind.filtering !== 'endpoint-independent' && this.kind.filtering !== 'none';
    if (filters && !permitted) return 'filtered';
    this.history.push({ ...known, way: 'in', time, remote });
    return known.internal;
  }

  private lives(mapping: number, time: number): boolean {
    return this.history.some((p) => p.mapping === mapping && this.refreshes(p, time));
  }

  private refreshes(passed: Passed, time: number): boolean {
    return (passed.way === 'out' || this.kind.inboundRefreshes) && passed.time + this.kind.lifetimeMs > time;
  }
}

const behaviour = fc.constantFrom<Behaviour>('endpoint-independent', 'address-dependent', 'address-and-port-dependent');
const kind = fc.record<NatKind>({
  mapping: fc.oneof(behaviour, fc.constant<Behaviour>('none')),
  filtering: behaviour,
  ports: fc.constantFrom<NatKind['ports']>('preserving', 'random', 'sequential'),
  lifetimeMs: fc.constantFrom(5, 20),
  inboundRefreshes: fc.boolean(),
  hairpinning: fc.boolean(),
});
const remote = fc.record({
  address: fc.constantFrom('198.51.100.1' as IpAddress, '198.51.100.2' as IpAddress),
  port: fc.constantFrom(80, 81),
});
const internal = fc.record({
  address: fc.constantFrom('192.168.1.2' as IpAddress, '192.168.1.3' as IpAddress),
  port: fc.constantFrom(5000, 5001),
});
const packet = fc.record({ out: fc.boolean(), wait: fc.nat(6), internal, remote, pick: fc.nat(20) });

it('lets through what a list of all packets that passed says, and by the same mapping', () => {
  fc.assert(
    fc.property(kind, fc.integer(), fc.array(packet, { maxLength: 60 }), (kind, seed, packets) => {
      const nat = new Nat(kind, PUBLIC, new Random(seed));
      const oracle = new Oracle(kind);
      const seen: SocketAddress[] = [{ address: PUBLIC, port: 9 }];
      let time = 0;
      for (const { out, wait, internal, remote, pick } of packets) {
        time += wait;
        if (out) {
          const external = nat.outbound(internal, remote, time)!;
          oracle.outbound(internal, remote, external, time);
          seen.push(external);
        } else {
          const external = seen[pick % seen.length]!;
          expect(nat.inbound(external, remote, time)).toEqual(oracle.inbound(external, remote, time));
        }
      }
    }),
    { numRuns: 500, seed: Number(process.env.WARREN_SEED ?? 4787) },
  );
});
