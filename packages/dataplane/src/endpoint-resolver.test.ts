import type { HostPort, PublicKey } from '@warren/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EndpointResolver } from './endpoint-resolver.js';

const [a, b, c] = ['a', 'b', 'c'] as PublicKey[] as [PublicKey, PublicKey, PublicKey];
const hostPort = (text: string) => text as HostPort;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Let promises settle without letting time pass. */
const settle = () => vi.advanceTimersByTimeAsync(0);

function setUp(names: Record<string, string[] | 'hangs'>, families: readonly (4 | 6)[] = [4, 6]) {
  const resolved: string[] = [];
  const lookups: string[] = [];
  const warnings: string[] = [];
  const resolver = new EndpointResolver({
    families,
    onResolved: (peer, endpoint) => resolved.push(`${peer} ${endpoint}`),
    log: (level, message) => level === 'warn' && warnings.push(message),
    lookup: async (host) => {
      lookups.push(host);
      const addresses = names[host];
      if (addresses === 'hangs') return new Promise(() => undefined);
      if (!addresses) throw new Error('getaddrinfo ENOTFOUND');
      return addresses.map((address) => ({ address }));
    },
  });
  return { names, resolved, lookups, warnings, resolver };
}

describe('endpoint resolver', () => {
  it('takes literal addresses at once, without a look-up', async () => {
    const { resolver, lookups } = setUp({});
    expect(resolver.set(a, hostPort('192.0.2.1:51820'))).toBe('192.0.2.1:51820');
    expect(resolver.set(b, hostPort('[2001:db8::1]:1'))).toBe('[2001:db8::1]:1');
    await settle();
    expect(lookups).toEqual([]);
  });

  it('looks names up, and again in turn through all addresses while handshakes fail', async () => {
    const { resolver, resolved, names } = setUp({ 'a.example': ['192.0.2.1', '2001:db8::1'] });
    expect(resolver.set(a, hostPort('a.example:7'))).toBeUndefined();
    await settle();
    resolver.handshakeFailing(a);
    await settle();
    names['a.example'] = ['192.0.2.9'];
    resolver.handshakeFailing(a);
    await settle();
    expect(resolved).toEqual(['a 192.0.2.1:7', 'a [2001:db8::1]:7', 'a 192.0.2.9:7']);
  });

  it('does not look an unchanged name up again when the configuration is set again', async () => {
    const { resolver, lookups } = setUp({ 'a.example': ['192.0.2.1'] });
    resolver.set(a, hostPort('a.example:7'));
    await settle();
    resolver.set(a, hostPort('a.example:7'));
    await settle();
    expect(lookups).toEqual(['a.example']);
  });

  it('leaves out addresses of a family that the host lacks', async () => {
    const { resolver, resolved } = setUp({ 'a.example': ['2001:db8::1', '192.0.2.1'] }, [4]);
    resolver.set(a, hostPort('a.example:7'));
    await settle();
    expect(resolved).toEqual(['a 192.0.2.1:7']);
  });

  it('tries a name that does not resolve again with growing pauses, until it is removed', async () => {
    const { resolver, resolved, lookups, names, warnings } = setUp({});
    resolver.set(a, hostPort('late.example:7'));
    await settle();
    await vi.advanceTimersByTimeAsync(999);
    expect(lookups).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(lookups).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(lookups).toHaveLength(2);
    names['late.example'] = ['192.0.2.1'];
    await vi.advanceTimersByTimeAsync(1);
    expect(resolved).toEqual(['a 192.0.2.1:7']);
    expect(warnings[0]).toMatch(/cannot resolve late.example: .*ENOTFOUND; trying again in 1 s/);
    resolver.set(b, hostPort('never.example:7'));
    await settle();
    resolver.remove(b);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(lookups.filter((host) => host === 'never.example')).toHaveLength(1);
  });

  it('goes on with other names while one hangs', async () => {
    const { resolver, resolved } = setUp({
      'hangs.example': 'hangs',
      'b.example': ['192.0.2.2'],
      'c.example': ['192.0.2.3'],
    });
    resolver.set(a, hostPort('hangs.example:1'));
    resolver.set(b, hostPort('b.example:2'));
    resolver.set(c, hostPort('c.example:3'));
    await settle();
    expect(resolved).toEqual(['b 192.0.2.2:2', 'c 192.0.2.3:3']);
  });

  it('forgets the answer for a peer whose endpoint has changed meanwhile', async () => {
    const { resolver, resolved } = setUp({ 'a.example': ['192.0.2.1'], 'b.example': ['192.0.2.2'] });
    resolver.set(a, hostPort('a.example:1'));
    resolver.set(a, hostPort('b.example:2'));
    await settle();
    expect(resolved).toEqual(['a 192.0.2.2:2']);
  });
});
