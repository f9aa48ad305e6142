import type { IpAddress } from '@warren/base';
import { encodeSocketAddress } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { PathTable } from './path-table.js';

const at = (address: string, port: number) => encodeSocketAddress(address as IpAddress, port);
const nobody = () => [];

describe('path table', () => {
  it('gives one id for equal addresses, and different ids when address, port or family differs', () => {
    const table = new PathTable(nobody);
    const addresses = [
      at('192.0.2.1', 51_820),
      at('192.0.2.1', 51_821),
      at('192.0.2.2', 51_820),
      at('::ffff:192.0.2.1', 51_820),
      at('2001:db8::1', 51_820),
      at('2001:db8::2', 51_820),
    ];
    const ids = addresses.map((address) => table.intern(address));
    expect(new Set(ids).size).toBe(addresses.length);
    expect(addresses.map((address) => table.intern(Uint8Array.from(address)))).toEqual(ids);
    expect(table.size).toBe(addresses.length);
  });

  it('finds address, endpoint and cookie bytes again', () => {
    const table = new PathTable(nobody);
    const v4 = table.intern(at('192.0.2.1', 51_820))!;
    const v6 = table.intern(at('2001:db8::1', 1))!;
    expect(table.endpoint(v4)).toBe('192.0.2.1:51820');
    expect(table.endpoint(v6)).toBe('[2001:db8::1]:1');
    expect(table.address(v4)).toEqual(at('192.0.2.1', 51_820));
    expect([...table.pathBytes(v4)]).toEqual([192, 0, 2, 1, 0xca, 0x6c]);
    expect(table.pathBytes(v6)).toHaveLength(18);
  });

  it('evicts what nobody uses when it is full, keeps the rest, and never reuses an id', () => {
    const inUse = new Set<PathId>();
    const table = new PathTable(() => inUse, 16);
    const kept = table.intern(at('192.0.2.1', 1))!;
    inUse.add(kept);
    const stranger = table.intern(at('192.0.2.2', 2))!;
    const seen = new Set([kept, stranger]);
    for (let port = 1; port <= 1000; port++) {
      const path = table.intern(at('198.51.100.1', port))!;
      expect(seen.has(path)).toBe(false);
      seen.add(path);
      expect(table.size).toBeLessThanOrEqual(16);
    }
    expect(table.endpoint(kept)).toBe('192.0.2.1:1');
    expect(table.intern(at('192.0.2.1', 1))).toBe(kept);
    expect(table.address(stranger)).toBeUndefined();
    expect(table.endpoint(stranger)).toBeUndefined();
    expect(table.pathBytes(stranger)).toHaveLength(0);
    expect(table.intern(at('192.0.2.2', 2))).not.toBe(stranger);
  });

  it('refuses a new path only when every path is in use', () => {
    const inUse = new Set<PathId>();
    const table = new PathTable(() => inUse, 4);
    for (let port = 1; port <= 4; port++) inUse.add(table.intern(at('192.0.2.1', port))!);
    expect(table.intern(at('192.0.2.1', 5))).toBeUndefined();
    const [first] = inUse;
    inUse.delete(first!);
    expect(table.intern(at('192.0.2.1', 5))).toBeDefined();
    expect(table.intern(at('192.0.2.1', 4))).toBe([...inUse][2]);
  });

  it('still finds every address when thousands share it', () => {
    const table = new PathTable(nobody);
    const ids = new Map<number, PathId>();
    for (let port = 1; port <= 20_000; port++) ids.set(port, table.intern(at('192.0.2.1', port))!);
    for (let port = 1; port <= 20_000; port++) expect(table.intern(at('192.0.2.1', port))).toBe(ids.get(port));
  });

  it('takes another seed when addresses pile up in one bucket, and finds them all afterwards', () => {
    let draws = 0;
    // A factor of 1 without a start value: anyone can compute buckets, as of a table without a secret.
    const weakFirst = (length: number) =>
      draws++ === 0 ? new Uint8Array(length) : Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 1);
    const table = new PathTable(nobody, 4096, weakFirst);
    const colliding: Uint8Array[] = [];
    const bucketOf = (address: Uint8Array) => weakBucket(address, 4096);
    for (let i = 0; colliding.length < 60; i++) {
      const address = at(`10.${(i >> 16) & 0xff}.${(i >> 8) & 0xff}.${i & 0xff}`, 1);
      if (bucketOf(address) === 7) colliding.push(address);
    }
    const ids = colliding.map((address) => table.intern(address));
    expect(draws).toBe(2);
    expect(new Set(ids).size).toBe(60);
    expect(colliding.map((address) => table.intern(address))).toEqual(ids);
    expect(table.size).toBe(60);
  });
});

/** The table's bucket for factor 1 and start 0. */
function weakBucket(address: Uint8Array, capacity: number): number {
  const view = new DataView(address.buffer, address.byteOffset);
  let hash = 0;
  for (let i = 0; i < address.length; i += 4) {
    hash ^= view.getUint32(i, true);
    hash ^= hash >>> 15;
  }
  return ((hash ^ (hash >>> 16)) >>> 0) & (capacity - 1);
}
