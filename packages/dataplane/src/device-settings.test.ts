import {
  type Endpoint,
  instant,
  type Prefix,
  parseIpAddress,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
  WarrenError,
} from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { createDevice } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { DeviceSettingsKeeper } from './device-settings.js';
import { PathTable } from './path-table.js';
import { PeerTable } from './peer-table.js';
import type { WorkerDeviceChange, WorkerPeerChange } from './worker-messages.js';

const now = instant(0);
const bytes = (byte: number) => new Uint8Array(32).fill(byte);
const key = (byte: number) => publicKeyFromBytes(nobleProvider.publicKey(bytes(byte)));
const OWN = 1;
const [a, b, c] = [key(11), key(12), key(13)];
const prefixes = (...texts: string[]) => texts as Prefix[];
const add = (...texts: string[]) => prefixes(...texts).map((prefix) => ({ verb: 'add' as const, prefix }));

function setUp({ standalone = false, families = [4, 6] as (4 | 6)[] } = {}) {
  const paths = new PathTable(() => []);
  const device = createDevice({
    crypto: nobleProvider,
    privateKey: new SecretKey(bytes(OWN)),
    random: (length) => new Uint8Array(length).fill(99),
    wallClock: () => unixMillis(0),
    pathBytes: (path) => paths.pathBytes(path),
    mtu: 1420,
  });
  const sockets = {
    port: 51_820,
    fwmark: 0,
    families,
    refused: undefined as WarrenError | undefined,
    rebind(port: number) {
      if (sockets.refused) throw sockets.refused;
      sockets.port = port === 0 ? 40_000 : port;
    },
    setMark(mark: number) {
      sockets.fwmark = mark;
    },
  };
  const peers = new PeerTable(device, paths);
  const random = (length: number) => new Uint8Array(length).fill(77);
  const keeper = new DeviceSettingsKeeper(
    { device, peers, paths, sockets, standalone, random },
    new SecretKey(bytes(OWN)),
  );
  const configure = (change: Partial<WorkerDeviceChange>) =>
    keeper.configure({ replacePeers: false, peers: [], ...change }, now);
  const ownerOf = (address: string) => device.peerOf(parseIpAddress(address)!);
  const keys = () => keeper.settings().peers.map(({ publicKey }) => publicKey);
  const found = (peer: string) => keeper.settings().peers.find(({ publicKey }) => publicKey === peer);
  return { device, peers, sockets, keeper, configure, ownerOf, keys, found };
}

const change = (publicKey: typeof a, more: Partial<WorkerPeerChange> = {}): WorkerPeerChange => ({
  publicKey,
  remove: false,
  updateOnly: false,
  replaceAllowedIps: false,
  allowedIps: [],
  ...more,
});

describe('settings of a device alone', () => {
  it('show what was set', () => {
    const { configure, keeper } = setUp({ standalone: true });
    configure({
      listenPort: 1234,
      fwmark: 7,
      peers: [
        change(a, {
          presharedKey: bytes(5),
          endpoint: '192.0.2.1:9' as Endpoint,
          persistentKeepalive: 25,
          allowedIps: add('10.0.0.1/32', 'fd00::/64'),
        }),
      ],
    });
    expect(keeper.settings()).toEqual({
      privateKey: bytes(OWN),
      listenPort: 1234,
      fwmark: 7,
      peers: [
        {
          publicKey: a,
          managed: false,
          presharedKey: bytes(5),
          endpoint: '192.0.2.1:9',
          persistentKeepalive: 25,
          allowedIps: ['10.0.0.1/32', 'fd00::/64'],
          lastHandshake: undefined,
          rxBytes: 0,
          txBytes: expect.any(Number),
        },
      ],
    });
  });

  it('change only what a change names', () => {
    const { configure, found } = setUp({ standalone: true });
    const first = { presharedKey: bytes(5), endpoint: '192.0.2.1:9' as Endpoint, persistentKeepalive: 25 };
    configure({ peers: [change(a, { ...first, allowedIps: add('10.0.0.1/32') })] });
    const before = found(a);
    configure({ peers: [change(a)] });
    expect(found(a)).toEqual(before);
    configure({ peers: [change(a, { allowedIps: [{ verb: 'add', prefix: '10.0.0.2/32' as Prefix }] })] });
    expect(found(a)?.allowedIps).toEqual(['10.0.0.1/32', '10.0.0.2/32']);
    configure({ peers: [change(a, { allowedIps: [{ verb: 'remove', prefix: '10.0.0.1/32' as Prefix }] })] });
    expect(found(a)?.allowedIps).toEqual(['10.0.0.2/32']);
    configure({ peers: [change(a, { replaceAllowedIps: true })] });
    expect(found(a)?.allowedIps).toEqual([]);
    expect(found(a)).toMatchObject(first);
  });

  it('take 32 zeros for no preshared key, and 0 for no keepalive', () => {
    const { configure, found } = setUp({ standalone: true });
    configure({ peers: [change(a, { presharedKey: bytes(5), persistentKeepalive: 25 })] });
    configure({ peers: [change(a, { presharedKey: bytes(0), persistentKeepalive: 0 })] });
    expect(found(a)).toMatchObject({ presharedKey: undefined, persistentKeepalive: 0 });
  });

  it('set the endpoint anew also when it is the one set before, since the peer may have roamed', () => {
    const { configure, found, peers } = setUp({ standalone: true });
    configure({ peers: [change(a, { endpoint: '192.0.2.1:9' as Endpoint })] });
    peers.setEndpoint(a, '192.0.2.2:9' as Endpoint, now);
    configure({ peers: [change(a, { endpoint: '192.0.2.1:9' as Endpoint })] });
    expect(found(a)?.endpoint).toBe('192.0.2.1:9');
  });

  it('remove peers, leave unknown ones alone when only updating, and replace all', () => {
    const { configure, keys } = setUp({ standalone: true });
    configure({ peers: [change(a), change(b), change(c, { updateOnly: true })] });
    expect(keys()).toEqual([a, b]);
    configure({ peers: [change(a, { remove: true }), change(c, { remove: true })] });
    expect(keys()).toEqual([b]);
    configure({ replacePeers: true, peers: [change(c)] });
    expect(keys()).toEqual([c]);
  });

  it('give a prefix to the peer that asked last', () => {
    const { configure, found, ownerOf } = setUp({ standalone: true });
    configure({ peers: [change(a, { allowedIps: add('10.0.0.0/8') }), change(b, { allowedIps: add('10.0.0.0/8') })] });
    expect(found(a)?.allowedIps).toEqual([]);
    expect(ownerOf('10.1.1.1')).toBe(b);
  });

  it('take a new private key, and drop the peer that this makes of us', () => {
    const { configure, keys, device, keeper } = setUp({ standalone: true });
    configure({ peers: [change(a), change(b)] });
    configure({ privateKey: bytes(11), peers: [change(a)] });
    expect(device.publicKey).toBe(a);
    expect(keeper.settings().privateKey).toEqual(bytes(11));
    expect(keys()).toEqual([b]);
  });

  it('without a private key have one that nobody knows, and show none', () => {
    const { configure, device, keeper } = setUp({ standalone: true });
    configure({ privateKey: bytes(0) });
    expect(keeper.settings().privateKey).toBeUndefined();
    expect(device.publicKey).toBe(key(77));
  });

  it('stay as they were, mark included, when the port cannot be had', () => {
    const { configure, sockets, keys } = setUp({ standalone: true });
    sockets.refused = new WarrenError('port-in-use', 'taken');
    expect(() => configure({ fwmark: 5, listenPort: 1, peers: [change(a)] })).toThrow('taken');
    expect(sockets.fwmark).toBe(0);
    expect(keys()).toEqual([]);
  });

  it('stay as they were when an endpoint is of a family that the host does not have', () => {
    const { configure, keys } = setUp({ standalone: true, families: [4] });
    const refused = () => configure({ peers: [change(a), change(b, { endpoint: '[fd00::1]:1' as Endpoint })] });
    expect(refused).toThrow(expect.objectContaining({ code: 'no-address-family' }));
    expect(keys()).toEqual([]);
  });
});

describe('settings of a node that the control plane manages', () => {
  function managed() {
    const world = setUp();
    world.peers.replace(
      [
        {
          publicKey: a,
          presharedKey: bytes(5),
          allowedIps: prefixes('10.0.0.1/32'),
          endpoint: '192.0.2.1:9' as Endpoint,
          persistentKeepalive: 25,
        },
      ],
      now,
    );
    return world;
  }
  const refusal = expect.objectContaining({ code: 'not-permitted' });

  it.each<[string, Partial<WorkerPeerChange>]>([
    ['be removed', { remove: true }],
    ['get another preshared key', { presharedKey: bytes(6) }],
    ['lose its preshared key', { presharedKey: bytes(0) }],
    ['get another endpoint', { endpoint: '192.0.2.2:9' as Endpoint }],
    ['get another keepalive', { persistentKeepalive: 0 }],
    ['get a prefix', { allowedIps: add('10.0.0.2/32') }],
    ['lose its prefixes', { replaceAllowedIps: true }],
  ])('do not let a pushed peer %s, nor anything else of that request', (_what, more) => {
    const { configure, keeper } = managed();
    const before = keeper.settings();
    expect(() => configure({ fwmark: 1, peers: [change(b), change(a, more)] })).toThrow(refusal);
    expect(keeper.settings()).toEqual(before);
  });

  it('let a pushed peer be named as it is', () => {
    const { configure, keeper, peers } = managed();
    peers.setEndpoint(a, '192.0.2.3:9' as Endpoint, now);
    const before = keeper.settings();
    const same = {
      presharedKey: bytes(5),
      endpoint: '192.0.2.3:9' as Endpoint,
      persistentKeepalive: 25,
      replaceAllowedIps: true,
      allowedIps: add('10.0.0.1/32'),
    };
    configure({ privateKey: bytes(OWN), peers: [change(a, same)] });
    expect(keeper.settings()).toEqual(before);
  });

  it('do not let the private key be changed', () => {
    const { configure, device } = managed();
    expect(() => configure({ privateKey: bytes(2) })).toThrow(refusal);
    expect(device.publicKey).toBe(key(OWN));
  });

  it('let port and mark be changed', () => {
    const { configure, keeper } = managed();
    configure({ listenPort: 0, fwmark: 9 });
    expect(keeper.settings()).toMatchObject({ listenPort: 40_000, fwmark: 9 });
  });

  it('let peers be added that pushes leave alone, and that replacing removes alone', () => {
    const { configure, keys, peers, found } = managed();
    configure({ peers: [change(b, { allowedIps: add('10.0.0.2/32') })] });
    peers.replace([{ publicKey: c, allowedIps: prefixes('10.0.0.3/32') }], now);
    expect(keys()).toEqual([b, c]);
    expect(found(b)?.allowedIps).toEqual(['10.0.0.2/32']);
    configure({ replacePeers: true });
    expect(keys()).toEqual([c]);
  });

  it('do not give away a prefix that a pushed peer has', () => {
    const { configure, ownerOf } = managed();
    expect(() => configure({ peers: [change(b, { allowedIps: add('10.0.0.1/32') })] })).toThrow(refusal);
    expect(ownerOf('10.0.0.1')).toBe(a);
    configure({ peers: [change(b, { allowedIps: [{ verb: 'remove', prefix: '10.0.0.1/32' as Prefix }] })] });
    expect(ownerOf('10.0.0.1')).toBe(a);
  });

  it('let a pushed peer take a prefix from one that was added', () => {
    const { configure, ownerOf, peers, found } = managed();
    configure({ peers: [change(b, { allowedIps: add('10.0.0.2/32') })] });
    peers.change([{ publicKey: c, allowedIps: prefixes('10.0.0.2/32') }], [], now);
    expect(ownerOf('10.0.0.2')).toBe(c);
    expect(found(b)?.allowedIps).toEqual([]);
  });

  it('hand an added peer over to the control plane when that pushes it', () => {
    const { configure, found, peers } = managed();
    configure({ peers: [change(b)] });
    peers.change([{ publicKey: b, allowedIps: [] }], [], now);
    expect(found(b)?.managed).toBe(true);
    expect(() => configure({ peers: [change(b, { remove: true })] })).toThrow(refusal);
  });
});
