import dgram from 'node:dgram';
import { once } from 'node:events';
import { formatEndpoint, type IpAddress, ipToBytes, WarrenError } from '@warren/base';
import koffi from 'koffi';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERRNO } from './libc.js';
import { PacketMemory } from './packet-memory.js';
import { watchReadable } from './readiness.js';
import { encodeSocketAddress, socketAddressEndpoint } from './socket-address.js';
import { MAX_DATAGRAM, type UdpSocket } from './udp-socket.js';
import { openUdpSockets, type UdpSockets } from './udp-sockets.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const PATHS = ['plain', 'offload'] as const;
/** What the tests at hand are about. */
let path: (typeof PATHS)[number] = 'plain';

function open(port = 0, memory = new PacketMemory(8)): UdpSockets {
  const sockets = openUdpSockets({ port, memory, path });
  cleanups.push(() => sockets.close());
  return sockets;
}

interface Arrived {
  readonly bytes: Uint8Array;
  readonly from: string;
}

/** Collects `count` datagrams through the event loop. */
function arrivals(socket: UdpSocket, count: number, budget = 64): Promise<Arrived[]> {
  const all: Arrived[] = [];
  return new Promise((resolve) => {
    const watch = watchReadable(
      socket.fd,
      () => {
        socket.receive(budget, (datagram, from) => {
          all.push({ bytes: Uint8Array.from(datagram), from: socketAddressEndpoint(from) });
        });
        if (all.length >= count) {
          watch.close();
          resolve(all);
        }
      },
      () => 'stop',
    );
    cleanups.push(() => watch.close());
  });
}

const loopback = (family: 4 | 6) => (family === 4 ? '127.0.0.1' : '::1') as IpAddress;

describe('UDP sockets on one address', () => {
  it('hear what is sent to it, and nothing that is sent to another', async () => {
    const sockets = openUdpSockets({ port: 0, memory: new PacketMemory(8), address: '127.0.0.2' as IpAddress });
    cleanups.push(() => sockets.close());
    expect(sockets.v6).toBeUndefined();
    const sender = open().v4!;
    const heard = arrivals(sockets.v4!, 1);
    sender.send(Uint8Array.of(1), encodeSocketAddress('127.0.0.1' as IpAddress, sockets.port));
    sender.send(Uint8Array.of(2), encodeSocketAddress('127.0.0.2' as IpAddress, sockets.port));
    expect((await heard).map(({ bytes }) => bytes[0])).toEqual([2]);
  });

  it('are of its family, and refused by name when the host has no such address', () => {
    const sockets = openUdpSockets({ port: 0, memory: new PacketMemory(8), address: '::1' as IpAddress });
    cleanups.push(() => sockets.close());
    expect([sockets.v4, sockets.v6?.family]).toEqual([undefined, 6]);
    const elsewhere = (): UdpSockets =>
      openUdpSockets({ port: 0, memory: new PacketMemory(8), address: '192.0.2.77' as IpAddress });
    expect(elsewhere).toThrow(expect.objectContaining({ code: 'address-not-here' }));
  });
});

describe.each(PATHS)('UDP sockets, %s', (pathOfGroup) => {
  beforeEach(() => {
    path = pathOfGroup;
  });

  it('are of the kind that was asked for', () => {
    const { v4, v6 } = open();
    expect([v4!.path, v6!.path]).toEqual([path, path]);
  });

  for (const family of [4, 6] as const) {
    it(`exchange datagrams of every size over IPv${family}`, async () => {
      const a = open();
      const b = open();
      const sender = family === 4 ? a.v4! : a.v6!;
      const receiver = family === 4 ? b.v4! : b.v6!;
      const sizes = [0, 1, 148, 1452, 9000, 65_507];
      const arrived = arrivals(receiver, sizes.length);
      const to = encodeSocketAddress(loopback(family), b.port);
      for (const size of sizes) expect(sender.send(new Uint8Array(size).fill(size & 0xff), to)).toBe(0);
      const datagrams = await arrived;
      expect(datagrams.map((datagram) => datagram.bytes.length)).toEqual(sizes);
      expect(datagrams.every(({ bytes }) => bytes.every((byte) => byte === (bytes.length & 0xff)))).toBe(true);
      expect(new Set(datagrams.map((datagram) => datagram.from))).toEqual(
        new Set([family === 4 ? `127.0.0.1:${a.port}` : `[::1]:${a.port}`]),
      );
    });
  }

  it('send memory of the packet memory without a copy', async () => {
    const memory = new PacketMemory(8);
    const a = open(0, memory);
    const offset = memory.allocate(100);
    const datagram = memory.bytes.subarray(offset, offset + 100).fill(7);
    const arrived = arrivals(a.v4!, 1);
    expect(memory.holds(datagram)).toBe(true);
    expect(a.v4!.send(datagram, encodeSocketAddress(loopback(4), a.port))).toBe(0);
    expect((await arrived)[0]!.bytes).toEqual(Uint8Array.from(datagram));
  });

  it('talk to a socket of Node in both directions', async () => {
    const ours = open();
    const theirs = dgram.createSocket('udp4');
    cleanups.push(() => theirs.close());
    theirs.bind(0, '127.0.0.1');
    await once(theirs, 'listening');
    const atTheirs = once(theirs, 'message');
    ours.v4!.send(Uint8Array.of(1, 2, 3), encodeSocketAddress(loopback(4), theirs.address().port));
    const [message, info] = (await atTheirs) as [Buffer, { port: number }];
    expect([...message]).toEqual([1, 2, 3]);
    expect(info.port).toBe(ours.port);
    const atOurs = arrivals(ours.v4!, 1);
    theirs.send(Uint8Array.of(9), ours.port, '127.0.0.1');
    expect((await atOurs)[0]).toEqual({ bytes: Uint8Array.of(9), from: `127.0.0.1:${theirs.address().port}` });
  });

  it('use one port for both families', async () => {
    const sockets = open();
    expect(sockets.port).toBeGreaterThan(0);
    for (const type of ['udp4', 'udp6'] as const) {
      const probe = dgram.createSocket({ type, ipv6Only: type === 'udp6' });
      cleanups.push(() => probe.close());
      const failed = once(probe, 'error');
      probe.bind(sockets.port);
      const [error] = await failed;
      expect((error as NodeJS.ErrnoException).code).toBe('EADDRINUSE');
    }
  });

  it('say which port is in use, and leave nothing open', () => {
    const first = open();
    const error = catchError(() => open(first.port));
    expect(error).toBeInstanceOf(WarrenError);
    expect((error as WarrenError).code).toBe('port-in-use');
    expect((error as WarrenError).message).toContain(`UDP port ${first.port} is in use`);
    first.close();
    expect(open(first.port).port).toBe(first.port);
  });

  it('also notice a port that only IPv6 has lost', async () => {
    const probe = dgram.createSocket({ type: 'udp6', ipv6Only: true });
    cleanups.push(() => probe.close());
    probe.bind(0);
    await once(probe, 'listening');
    const error = catchError(() => open(probe.address().port));
    expect((error as WarrenError).code).toBe('port-in-use');
    expect((error as WarrenError).message).toContain('IPv6');
  });

  it('return the error number of a datagram that cannot go out, and go on', async () => {
    const sockets = open();
    const tooLong = sockets.v4!.send(new Uint8Array(65_508), encodeSocketAddress(loopback(4), sockets.port));
    expect(tooLong).toBe(90); // EMSGSIZE
    const broadcast = sockets.v4!.send(Uint8Array.of(1), encodeSocketAddress('255.255.255.255' as IpAddress, 9));
    expect(broadcast).toBe(ERRNO.EACCES);
    const arrived = arrivals(sockets.v4!, 1);
    expect(sockets.v4!.send(Uint8Array.of(5), encodeSocketAddress(loopback(4), sockets.port))).toBe(0);
    expect((await arrived)[0]!.bytes).toEqual(Uint8Array.of(5));
  });

  for (const family of [4, 6] as const) {
    it(`send and receive batches over IPv${family}, each datagram by itself`, async () => {
      const memory = new PacketMemory(8);
      const a = open(0, memory);
      const b = open();
      const [sender, receiver] = family === 4 ? [a.v4!, b.v4!] : [a.v6!, b.v6!];
      const to = encodeSocketAddress(loopback(family), b.port);
      const offset = memory.allocate(MAX_DATAGRAM);
      for (let i = 0; i < MAX_DATAGRAM; i++) memory.bytes[offset + i] = (i * 7) >> 3;
      // [bytes in all, bytes of each datagram]
      const batches = [
        [64 * 1000, 1000],
        [MAX_DATAGRAM, 1452],
        [10, 10],
        [10, 100],
        [2000, 1452],
        [64, 1],
      ] as const;
      for (const [length, segment] of batches) {
        const expected: Uint8Array[] = [];
        for (let at = 0; at < length; at += segment) {
          expected.push(memory.bytes.slice(offset + at, offset + Math.min(at + segment, length)));
        }
        const arrived = arrivals(receiver, expected.length, 7);
        expect(sender.sendBatch(offset, length, segment, to)).toBe(0);
        expect((await arrived).map(({ bytes }) => bytes)).toEqual(expected);
      }
    });
  }

  it('say of a received batch where its datagrams are and who sent them', async () => {
    const memory = new PacketMemory(8);
    const sockets = open(0, memory);
    const to = encodeSocketAddress(loopback(4), sockets.port);
    const offset = memory.allocate(4000);
    const sent = memory.bytes
      .subarray(offset, offset + 3500)
      .fill(1, 0, 1000)
      .fill(2, 1000, 2000)
      .fill(3, 2000, 3000)
      .fill(4, 3000);
    expect(sockets.v4!.sendBatch(offset, 3500, 1000, to)).toBe(0);
    const { batch } = sockets.v4!;
    const received: Uint8Array[] = [];
    for (;;) {
      const length = sockets.v4!.receiveBatch();
      if (length < 0) {
        expect(length).toBe(-ERRNO.EAGAIN);
        break;
      }
      expect(batch.segmentLength).toBeLessThanOrEqual(1000);
      expect(socketAddressEndpoint(batch.from)).toBe(`127.0.0.1:${sockets.port}`);
      received.push(memory.bytes.slice(batch.offset, batch.offset + length));
    }
    expect(Buffer.concat(received)).toEqual(Buffer.from(sent));
    expect(received).toHaveLength(path === 'offload' ? 1 : 4);
  });

  it('send a batch whose datagrams exceed the path MTU one by one, in fragments', async () => {
    const memory = new PacketMemory(8);
    const sockets = open(0, memory);
    const to = encodeSocketAddress(loopback(4), sockets.port);
    const offset = memory.allocate(MAX_DATAGRAM);
    // Nothing of 65,507 bytes fits loopback's MTU of 65,536 twice.
    memory.bytes.fill(5, offset, offset + 60_000);
    const arrived = arrivals(sockets.v4!, 2);
    expect(sockets.v4!.sendBatch(offset, 60_000, 40_000, to)).toBe(0);
    expect((await arrived).map(({ bytes }) => bytes.length)).toEqual([40_000, 20_000]);
  });

  it('hand over at most the budget and keep the rest for the next turn', async () => {
    const sockets = open();
    const to = encodeSocketAddress(loopback(4), sockets.port);
    const arrived = arrivals(sockets.v4!, 10, 3);
    for (let i = 0; i < 10; i++) sockets.v4!.send(Uint8Array.of(i), to);
    expect((await arrived).map(({ bytes }) => bytes[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sockets.v4!.receive(3, () => undefined)).toBe(0);
  });

  for (const [family, ours, other] of [
    [4, '127.0.0.77', '127.0.0.1'],
    [6, '::1', undefined],
  ] as const) {
    it(`say which address of ours a datagram came to over IPv${family}, and answer from it`, async () => {
      const a = open();
      const b = open();
      const of = (sockets: UdpSockets) => (family === 4 ? sockets.v4! : sockets.v6!);
      const local = ipToBytes(ours as IpAddress);
      const seen: (Uint8Array | undefined)[] = [];
      const answered = arrivals(of(a), 1);
      const heard = new Promise<void>((resolve) => {
        const watch = watchReadable(
          of(b).fd,
          () => {
            of(b).receive(64, (_datagram, from, to) => {
              seen.push(to && Uint8Array.from(to));
              of(b).send(new Uint8Array(3), Uint8Array.from(from), to);
            });
            watch.close();
            resolve();
          },
          () => 'stop',
        );
      });
      of(a).send(new Uint8Array(1), encodeSocketAddress(ours as IpAddress, b.port));
      await heard;
      expect(seen).toEqual([local]);
      expect((await answered)[0]?.from).toBe(formatEndpoint(ours as IpAddress, b.port));
      if (other === undefined) return;
      // Without a source the route decides.
      const unasked = arrivals(of(a), 1);
      of(b).send(new Uint8Array(3), encodeSocketAddress(other as IpAddress, a.port));
      expect((await unasked)[0]?.from).toBe(formatEndpoint(other as IpAddress, b.port));
    });
  }

  for (const family of [4, 6] as const) {
    it(`send with the ECN that was asked for over IPv${family}, and say with which a datagram came`, async () => {
      const memory = new PacketMemory(8);
      const sockets = open(0, memory);
      const socket = family === 4 ? sockets.v4! : sockets.v6!;
      const to = encodeSocketAddress(loopback(family), sockets.port);
      const offset = memory.allocate(3000);
      for (const ecn of [0, 1, 2, 3, undefined]) {
        expect(socket.sendBatch(offset, 3000, 1000, to, undefined, ecn)).toBe(0);
        expect(socket.send(new Uint8Array(10), to, ipToBytes(loopback(family)), ecn)).toBe(0);
        const seen: number[] = [];
        socket.receive(64, (_datagram, _from, _local, arrived) => void seen.push(arrived));
        expect(seen).toEqual([ecn ?? 0, ecn ?? 0, ecn ?? 0, ecn ?? 0]);
      }
    });
  }

  it('refuse a source address that this host does not have, and send on without it', () => {
    const { v4, v6, port } = open();
    const refusals = [ERRNO.EINVAL, ERRNO.ENETUNREACH, ERRNO.EADDRNOTAVAIL];
    for (const [socket, source, to] of [
      [v4!, '192.0.2.1', '127.0.0.1'],
      [v6!, '2001:db8::1', '::1'],
    ] as const) {
      const address = encodeSocketAddress(to as IpAddress, port);
      expect(refusals).toContain(socket.send(new Uint8Array(1), address, ipToBytes(source as IpAddress)));
      expect(socket.send(new Uint8Array(1), address)).toBe(0);
    }
  });

  it('move to another port, and stay where they are when it is taken', async () => {
    const a = open();
    const taken = open();
    const former = a.port;
    expect(() => a.rebind(taken.port)).toThrow(expect.objectContaining({ code: 'port-in-use' }));
    expect(a.port).toBe(former);
    a.rebind(0);
    expect(a.port).not.toBe(former);
    const again = open(former); // free now, for both families
    const arrived = arrivals(a.v6!, 1);
    again.v6!.send(new Uint8Array(5), encodeSocketAddress(loopback(6), a.port));
    expect((await arrived)[0]?.bytes).toHaveLength(5);
  });

  it.skipIf(process.getuid?.() !== 0)('mark datagrams, also after they moved', () => {
    const sockets = open();
    const markOf = (fd: number) => {
      const memory = new PacketMemory(1);
      const libc = koffi.load(null);
      const getsockopt = libc.func('getsockopt', 'int', ['int', 'int', 'int', 'size_t', 'size_t']);
      memory.view.setUint32(128, 4, true);
      expect(getsockopt(fd, 1, 36, memory.base + 64, memory.base + 128)).toBe(0);
      return memory.view.getUint32(64, true);
    };
    sockets.setMark(0xdead_beef);
    sockets.rebind(0);
    expect([markOf(sockets.v4!.fd), markOf(sockets.v6!.fd), sockets.mark]).toEqual(Array(3).fill(0xdead_beef));
    sockets.setMark(0);
    expect(markOf(sockets.v4!.fd)).toBe(0);
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}
