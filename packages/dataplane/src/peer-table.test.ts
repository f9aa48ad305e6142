import {
  type Endpoint,
  instant,
  type Prefix,
  parseIpAddress,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import type { PathPeer } from '@warren/paths';
import { createDevice } from '@warren/wireguard';
import { beforeEach, describe, expect, it } from 'vitest';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';

const now = instant(0);
const key = (byte: number) => publicKeyFromBytes(nobleProvider.publicKey(new Uint8Array(32).fill(byte)));
const [a, b] = [key(11), key(12)];
const prefixes = (...texts: string[]) => texts as Prefix[];
const endpoint = (text: string) => text as Endpoint;

function setUp() {
  const paths = new PathTable(() => []);
  const device = createDevice({
    crypto: nobleProvider,
    privateKey: new SecretKey(new Uint8Array(32).fill(1)),
    random: (length) => new Uint8Array(length),
    wallClock: () => unixMillis(0),
    pathBytes: (path) => paths.pathBytes(path),
    mtu: 1420,
  });
  const endpointOf = (peer: string) => {
    const stats = [...device.peers()].find(({ publicKey }) => publicKey === peer);
    return stats?.path === undefined ? undefined : paths.endpoint(stats.path);
  };
  const ownerOf = (address: string) => device.peerOf(parseIpAddress(address)!);
  return { device, paths, peers: new PeerTable(device, paths), endpointOf, ownerOf };
}

let world: ReturnType<typeof setUp>;
beforeEach(() => {
  world = setUp();
});

describe('peer table', () => {
  it('sets and removes exactly what a replacement says', () => {
    const { peers, device, ownerOf } = world;
    peers.change([{ publicKey: a, allowedIps: prefixes('10.0.0.1/32') }], [], now);
    peers.replace([{ publicKey: b, allowedIps: prefixes('10.0.0.2/32') }], now);
    expect(Array.from(device.peers(), ({ publicKey }) => publicKey)).toEqual([b]);
    expect(ownerOf('10.0.0.1')).toBeUndefined();
    expect(ownerOf('10.0.0.2')).toBe(b);
  });

  it('keeps the path of a peer whose configured endpoint is as before, though it has roamed', () => {
    const { peers, device, paths, endpointOf } = world;
    const configured = { publicKey: a, allowedIps: [], endpoint: endpoint('192.0.2.1:1') };
    peers.change([configured], [], now);
    expect(endpointOf(a)).toBe('192.0.2.1:1');
    const roamed = paths.intern(Uint8Array.from(paths.address([...device.peers()][0]!.path!)!).fill(9, 2, 4))!;
    device.setPeer({ publicKey: a, allowedIps: [], path: roamed }, now);
    peers.change([configured], [], now);
    expect(endpointOf(a)).toBe('192.0.2.1:2313');
    peers.change([{ ...configured, endpoint: endpoint('192.0.2.3:3') }], [], now);
    expect(endpointOf(a)).toBe('192.0.2.3:3');
    peers.change([{ publicKey: a, allowedIps: [] }], [], now);
    expect(endpointOf(a)).toBe('192.0.2.3:3');
  });

  it('lets a new look-up move the path without taking back what another peer has got', () => {
    const { peers, endpointOf, ownerOf } = world;
    peers.change([{ publicKey: a, allowedIps: prefixes('10.0.0.1/32') }], [], now);
    peers.change([{ publicKey: b, allowedIps: prefixes('10.0.0.1/32') }], [], now);
    peers.setEndpoint(a, endpoint('[2001:db8::1]:5'), now);
    expect(endpointOf(a)).toBe('[2001:db8::1]:5');
    expect(ownerOf('10.0.0.1')).toBe(b);
    peers.setEndpoint(key(13), endpoint('192.0.2.9:9'), now);
    expect(peers.has(key(13))).toBe(false);
  });

  it('moves a prefix within one change, whatever the order', () => {
    const { peers, ownerOf } = world;
    peers.change(
      [
        { publicKey: a, allowedIps: prefixes('10.0.0.0/24', '10.0.1.0/24') },
        { publicKey: b, allowedIps: [] },
      ],
      [],
      now,
    );
    peers.change(
      [
        { publicKey: b, allowedIps: prefixes('10.0.1.0/24') },
        { publicKey: a, allowedIps: prefixes('10.0.0.0/24') },
      ],
      [],
      now,
    );
    expect(ownerOf('10.0.0.1')).toBe(a);
    expect(ownerOf('10.0.1.1')).toBe(b);
  });

  it('removes before it sets', () => {
    const { peers, ownerOf } = world;
    peers.change([{ publicKey: a, allowedIps: prefixes('10.0.0.1/32') }], [], now);
    peers.change([{ publicKey: a, allowedIps: prefixes('10.0.0.2/32') }], [a], now);
    expect(ownerOf('10.0.0.2')).toBe(a);
    expect(ownerOf('10.0.0.1')).toBeUndefined();
  });
});

describe('agents in the peer table', () => {
  const agent = { name: 'b', relayId: new Uint8Array(8).fill(1), pathKey: new Uint8Array(32).fill(2) };
  const configured = { publicKey: a, allowedIps: prefixes('10.0.0.1/32'), endpoint: endpoint('192.0.2.1:1'), agent };

  it('have their path decided elsewhere: the endpoint is one of their ways, and told with them', () => {
    const told: (readonly PathPeer[])[] = [];
    const peers = new PeerTable(world.device, world.paths, (agents) => told.push(agents));
    peers.change([configured, { publicKey: b, allowedIps: [] }], [], now);
    expect(told).toEqual([[{ ...agent, publicKey: a, endpoints: ['192.0.2.1:1'] }]]);
    expect(world.device.pathOf(a)).toBeUndefined();
    peers.setEndpoint(a, endpoint('192.0.2.7:7'), now);
    expect(told.at(-1)![0]!.endpoints).toEqual(['192.0.2.7:7']);
    peers.replace([], now);
    expect(told.at(-1)).toEqual([]);
  });

  it('are peers like all others where no paths are looked for', () => {
    world.peers.change([configured], [], now);
    expect(world.endpointOf(a)).toBe('192.0.2.1:1');
  });

  it('go to their endpoint again when they are agents no more', () => {
    const peers = new PeerTable(world.device, world.paths, () => undefined);
    peers.change([configured], [], now);
    const { agent: _gone, ...vanilla } = configured;
    peers.change([vanilla], [], now);
    expect(world.endpointOf(a)).toBe('192.0.2.1:1');
  });
});
