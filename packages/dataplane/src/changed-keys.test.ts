import {
  type Endpoint,
  type HostPort,
  instant,
  type Prefix,
  type PublicKey,
  parseIpAddress,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import type { PathPeer } from '@warren/paths';
import { createDevice } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { EndpointResolver } from './endpoint-resolver.js';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';
import { RestartRecord } from './restart-record.js';
import { PathNames } from './signalling/path-names.js';

const now = instant(0);
const secret = (byte: number) => new SecretKey(new Uint8Array(32).fill(byte));
const key = (byte: number) => publicKeyFromBytes(nobleProvider.publicKey(secret(byte).expose()));
const [old, next, other] = [key(11), key(12), key(13)];
const prefixes = (...texts: string[]) => texts as Prefix[];

function table() {
  const paths = new PathTable(() => []);
  const device = createDevice({
    crypto: nobleProvider,
    privateKey: secret(1),
    random: (length) => new Uint8Array(length),
    wallClock: () => unixMillis(0),
    pathBytes: (path) => paths.pathBytes(path),
    mtu: 1420,
  });
  const told: PathPeer[][] = [];
  return { device, told, peers: new PeerTable(device, paths, (agents) => told.push([...agents])) };
}

describe('a peer whose key changes', () => {
  it('stays the peer of its prefixes and its endpoint, and the machine knows it by the new key', () => {
    const { device, peers } = table();
    const endpoint = '192.0.2.1:1' as Endpoint;
    peers.change([{ publicKey: old, allowedIps: prefixes('10.0.0.1/32'), endpoint }], [], now);
    const path = device.pathOf(old);
    const change = { publicKey: next, formerKey: old, previousKey: old, allowedIps: prefixes('10.0.0.1/32') };
    peers.change([change], [], now);
    expect(Array.from(device.peers(), ({ publicKey }) => publicKey)).toEqual([next]);
    expect(device.pathOf(next)).toBe(path);
    expect(device.peerOf(parseIpAddress('10.0.0.1')!)).toBe(next);
    expect([peers.has(old), peers.get(next)?.endpoint, peers.get(next)?.previousKey]).toEqual([false, endpoint, old]);
    peers.replace([{ publicKey: next, allowedIps: prefixes('10.0.0.1/32') }], now);
    expect(peers.get(next)?.previousKey).toBeUndefined();
    expect(device.pathOf(next)).toBe(path);
  });

  it('is not taken for one that was removed when all peers are set anew', () => {
    const { device, peers } = table();
    peers.change([{ publicKey: old, allowedIps: [], endpoint: '192.0.2.1:1' as Endpoint }], [], now);
    const path = device.pathOf(old);
    peers.replace([{ publicKey: next, formerKey: old, allowedIps: [] }], now);
    expect(device.pathOf(next)).toBe(path);
  });

  it('replaces whoever has the new key already, and an unknown former key is none', () => {
    const { device, peers } = table();
    const all = [old, next].map((publicKey) => ({ publicKey, allowedIps: [] }));
    peers.change(all, [], now);
    peers.change([{ publicKey: next, formerKey: old, allowedIps: [] }], [], now);
    peers.change([{ publicKey: other, formerKey: key(20), allowedIps: [] }], [], now);
    expect(Array.from(device.peers(), ({ publicKey }) => publicKey)).toEqual([next, other]);
  });

  it('is in the record for another worker as it is now', () => {
    const record = new RestartRecord(secret(1));
    record.set({ publicKey: old, allowedIps: prefixes('10.0.0.1/32') }, '192.0.2.1:1' as Endpoint);
    record.heard(old, '192.0.2.9:9' as Endpoint);
    record.rename(old, next);
    record.set({ publicKey: next, previousKey: old, allowedIps: prefixes('10.0.0.1/32') }, undefined);
    expect(record.peers(true)).toEqual([next]);
    expect(record.known()).toEqual([next]);
    expect(record.managedPeer(next)).toEqual({
      peer: { publicKey: next, previousKey: old, allowedIps: ['10.0.0.1/32'] },
      endpoint: '192.0.2.9:9',
    });
  });

  it('has the look-up of its name that was under way', async () => {
    let answer = (_: { address: string }[]): void => undefined;
    const resolved: string[] = [];
    const resolver = new EndpointResolver({
      families: [4],
      onResolved: (peer, endpoint) => resolved.push(`${peer} ${endpoint}`),
      log: () => undefined,
      lookup: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    resolver.set('old' as PublicKey, 'a.example:7' as HostPort);
    resolver.rename('old' as PublicKey, 'new' as PublicKey);
    answer([{ address: '192.0.2.1' }]);
    await new Promise(setImmediate);
    expect(resolved).toEqual(['new 192.0.2.1:7']);
    resolver.close();
  });
});

describe('our own two keys', () => {
  it('are in the record for another worker, and erased with it', () => {
    const record = new RestartRecord(secret(1));
    expect(record.twoKeys()).toBeUndefined();
    record.setKeys({ privateKey: secret(2), other: secret(1), initiateWithOther: true });
    const { privateKey, other: also, initiateWithOther } = record.twoKeys()!;
    expect([privateKey.expose()[0], also!.expose()[0], initiateWithOther]).toEqual([2, 1, true]);
    record.setKeys({ privateKey: secret(2) });
    expect(record.twoKeys()).toBeUndefined();
    expect([...privateKey.expose(), ...also!.expose()].every((byte) => byte === 0)).toBe(true);
    record.erase();
  });
});

describe('names of paths', () => {
  const agent = (publicKey: PublicKey, id: number): PathPeer => ({
    publicKey,
    name: 'a',
    relayId: new Uint8Array(8).fill(id),
    pathKey: new Uint8Array(32),
    endpoints: [],
  });

  it('stay when the key changes, and lead to the key of now', () => {
    const names = new PathNames();
    expect(names.rename([agent(old, 1)])[0]!.publicKey).toBe(old);
    expect(names.rename([agent(next, 1)])[0]!.publicKey).toBe(old);
    expect([names.nameOf(next), names.keyOf(old), names.nameOf(other)]).toEqual([old, next, other]);
    // Somebody else comes with the key of before.
    const [first, second] = names.rename([agent(next, 1), agent(old, 2)]);
    expect(first!.publicKey).toBe(old);
    expect(second!.publicKey).not.toBe(old);
    expect(names.keyOf(second!.publicKey)).toBe(old);
    expect(names.rename([agent(next, 3)])[0]!.publicKey).toBe(next);
  });
});
