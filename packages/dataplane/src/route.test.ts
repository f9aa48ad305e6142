import type { Endpoint, IpAddress, PublicKey } from '@warren/base';
import { encodeSocketAddress, socketAddressEndpoint } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { PathTable } from './path-table.js';
import { type Route, relayAddress, setSocketNumber, socketNumberOf } from './route.js';

const routeTo = (port: number): Route => ({
  path: { kind: 'udp', peer: 'peer' as PublicKey, socket: 0, endpoint: `192.0.2.1:${port}` as Endpoint },
  also: undefined,
  sentAt: 0,
  receivedAt: 0,
});

describe('addresses that stand for other things', () => {
  it.each(['192.0.2.1', '2001:db8::1'])('keep address and port of %s, and are told apart by the socket', (text) => {
    const plain = encodeSocketAddress(text as IpAddress, 51_820);
    const numbered = plain.slice();
    setSocketNumber(numbered, 300_000);
    expect(socketNumberOf(numbered)).toBe(300_000);
    expect(socketNumberOf(plain)).toBe(0);
    expect(socketAddressEndpoint(numbered)).toBe(socketAddressEndpoint(plain));
    const table = new PathTable(() => []);
    expect(table.intern(numbered)).not.toBe(table.intern(plain));
  });

  it('of relays have no endpoint, but bytes of their own for cookies', () => {
    const table = new PathTable(() => []);
    const [first, second] = [table.intern(relayAddress(1))!, table.intern(relayAddress(2))!];
    expect(table.endpoint(first)).toBeUndefined();
    expect(table.pathBytes(first)).not.toEqual(table.pathBytes(second));
    expect(table.intern(relayAddress(1))).toBe(first);
  });
});

describe('routes of a table', () => {
  it('are found by their id, and by no other', () => {
    const table = new PathTable(() => []);
    const ids = [1, 2, 3].map((port) => table.intern(encodeSocketAddress('192.0.2.1' as IpAddress, port))!);
    const route = routeTo(2);
    table.setRoute(ids[1]!, route);
    expect(ids.map((id) => table.route(id))).toEqual([undefined, route, undefined]);
    expect(table.route(999_999 as PathId)).toBeUndefined();
  });

  it('go with their path', () => {
    const inUse = new Set<PathId>();
    const table = new PathTable(() => inUse, 2);
    const addresses = [1, 2, 3, 4].map((port) => encodeSocketAddress('192.0.2.1' as IpAddress, port));
    const kept = table.intern(addresses[0]!)!;
    const gone = table.intern(addresses[1]!)!;
    inUse.add(kept);
    for (const id of [kept, gone]) table.setRoute(id, routeTo(1));
    const next = table.intern(addresses[2]!)!;
    expect([table.route(kept) !== undefined, table.route(gone), table.route(next)]).toEqual([
      true,
      undefined,
      undefined,
    ]);
    table.setRoute(gone, routeTo(1));
    expect(table.route(next)).toBeUndefined();
  });

  it('lose their sources all at once when the host moves', () => {
    const table = new PathTable(() => []);
    const id = table.intern(encodeSocketAddress('192.0.2.1' as IpAddress, 1))!;
    table.setSource(id, Uint8Array.of(10, 0, 0, 1));
    table.clearSources();
    expect(table.source(id)).toBeUndefined();
  });
});
