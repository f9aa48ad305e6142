import { type Instant, instant, isDrop, type Prefix, SecretKey, unixMillis } from '@warren/base';
import { type MemoryAead, nobleProvider } from '@warren/crypto';
import { PacketMemory } from '@warren/udp';
import { createDevice, type Device, type PathId } from '@warren/wireguard';
import { beforeEach, describe, expect, it } from 'vitest';
import { createNodeProvider } from '../node-provider.js';
import { bindLibrary } from './library.js';
import { createNativeProvider } from './native-provider.js';
import { choosePacketCrypto, PACKET_CRYPTO_NAMES } from './packet-crypto.js';
import { openX25519 } from './x25519.js';

/** Later than all that keeps keys alive (REJECT_AFTER_TIME * 3). */
const LONG = 600_000;
const NATIVE = PACKET_CRYPTO_NAMES.filter((name) => name !== 'node' && name !== 'noble');

interface Host {
  readonly device: Device;
  readonly memory: PacketMemory;
  readonly privateKey: Buffer;
  /** Keys of sessions as the machine holds them, with what was in them when they were used first. */
  readonly keys: Map<Uint8Array, Buffer>;
  readonly at: number;
}

const isHere = (name: string): boolean =>
  choosePacketCrypto(new PacketMemory(8), () => undefined, [name]) !== undefined;

function makeHost(cipher: string, number: number): Host {
  const memory = new PacketMemory(8);
  const { aead } = choosePacketCrypto(memory, () => undefined, [cipher])!;
  const keys = new Map<Uint8Array, Buffer>();
  const noted = (key: Uint8Array): Uint8Array => {
    if (!keys.has(key)) keys.set(key, Buffer.from(key));
    return key;
  };
  const spied: MemoryAead = {
    name: aead.name,
    memory: aead.memory,
    seal: (key, ...rest) => aead.seal(noted(key), ...rest),
    open: (key, ...rest) => aead.open(noted(key), ...rest),
    forget: () => aead.forget(),
  };
  const privateKey = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 29 + number * 91 + 8) & 0x7f));
  const x25519 = openX25519(bindLibrary(), memory);
  expect(x25519).toBeDefined();
  let seed = number;
  const byte = (): number => {
    seed = (seed * 69_069 + 12_345) >>> 0;
    return seed >>> 16;
  };
  const device = createDevice({
    crypto: createNativeProvider(spied, createNodeProvider(nobleProvider), memory, x25519),
    memoryAead: spied,
    privateKey: new SecretKey(privateKey),
    random: (length) => Uint8Array.from({ length }, byte),
    wallClock: () => unixMillis(1_767_225_600_000),
    pathBytes: () => new Uint8Array(6),
    mtu: 1420,
  });
  return { device, memory, privateKey, keys, at: memory.allocate(4096) };
}

function ipv4Packet(from: number, to: number): Uint8Array {
  const packet = new Uint8Array(60);
  packet.set([0x45, 0, 0, 60]);
  packet.set([10, 0, 0, from], 12);
  packet.set([10, 0, 0, to], 16);
  return packet;
}

/** Delivers what the devices want to send until they are silent. */
function settle(hosts: readonly [Host, Host], now: Instant): void {
  for (let silent = 0, turn = 0; silent < 2; turn++) {
    const [from, to] = turn % 2 ? [hosts[1], hosts[0]] : hosts;
    const transmit = from.device.pollTransmit();
    silent = transmit ? 0 : silent + 1;
    if (transmit) deliver(to, transmit.datagram, now);
  }
}

function deliver(to: Host, datagram: Uint8Array, now: Instant): void {
  to.memory.bytes.set(datagram, to.at);
  expect(isDrop(to.device.openInMemory(to.at, datagram.length, 1 as PathId, now))).toBe(false);
}

function send(from: Host, to: Host, packet: Uint8Array, now: Instant): void {
  from.memory.bytes.set(packet, from.at);
  const run = from.device.beginRun(from.at, packet.length, now);
  if (isDrop(run)) throw new Error(run.reason);
  const length = run.seal(from.at, packet.length, from.at + 2048);
  run.end();
  if (length > 0) deliver(to, from.memory.bytes.slice(from.at + 2048, from.at + 2048 + length), now);
}

/** Where something of a retired key is still to be read. */
function remains({ keys, memory, privateKey }: Host): string[] {
  const all = Buffer.from(memory.bytes.buffer);
  const found = [...keys].flatMap(([key, was], i) => [
    ...(key.every((byte) => byte === 0) ? [] : [`key ${i} in the machine`]),
    ...(all.indexOf(was) === -1 ? [] : [`key ${i} in the packet memory`]),
  ]);
  return all.indexOf(privateKey) === -1 ? found : [...found, 'the private key in the packet memory'];
}

for (const cipher of NATIVE) {
  describe.skipIf(!isHere(cipher))(`keys of a session with ${cipher}`, () => {
    const start = instant(1_000);
    let a: Host;
    let b: Host;
    beforeEach(() => {
      a = makeHost(cipher, 1);
      b = makeHost(cipher, 2);
      const peer = (other: Host, number: number) => ({
        publicKey: other.device.publicKey,
        allowedIps: [`10.0.0.${number}/32` as Prefix],
        path: 1 as PathId,
      });
      a.device.setPeer(peer(b, 2), start);
      b.device.setPeer(peer(a, 1), start);
      a.device.initiateHandshake(b.device.publicKey, start);
      settle([a, b], start);
      send(a, b, ipv4Packet(1, 2), start);
      send(b, a, ipv4Packet(2, 1), start);
      settle([a, b], start);
    });

    it('are there while it lives: the search finds what is to be found', () => {
      for (const host of [a, b]) {
        expect(host.keys.size).toBe(2);
        expect(remains(host).filter((where) => where.endsWith('in the machine'))).toHaveLength(2);
      }
      expect(remains(a).concat(remains(b)).join()).toContain('in the packet memory');
    });

    it('are overwritten everywhere when the peer is removed', () => {
      a.device.removePeer(b.device.publicKey);
      expect(remains(a)).toEqual([]);
    });

    it('are overwritten everywhere when their time is over', () => {
      for (const host of [a, b]) {
        host.device.handleTimeout(instant(start + LONG));
        expect(remains(host)).toEqual([]);
      }
    });

    it('are overwritten everywhere when later sessions have taken their place', () => {
      const first = new Map(a.keys);
      for (let session = 1; session <= 2; session++) {
        const now = instant(start + session * 10_000);
        a.device.initiateHandshake(b.device.publicKey, now);
        settle([a, b], now);
        send(a, b, ipv4Packet(1, 2), now);
        settle([a, b], now);
      }
      expect(a.keys.size).toBeGreaterThan(2);
      expect(remains({ ...a, keys: first })).toEqual([]);
    });

    it('are overwritten everywhere when the device is closed', () => {
      b.device.close();
      expect(remains(b)).toEqual([]);
    });
  });
}
