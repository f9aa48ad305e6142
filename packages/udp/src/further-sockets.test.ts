import dgram from 'node:dgram';
import { once } from 'node:events';
import type { IpAddress } from '@warren/base';
import { afterEach, describe, expect, it } from 'vitest';
import { type FurtherSocket, FurtherSockets } from './further-sockets.js';
import { PacketMemory } from './packet-memory.js';
import { watchReadable } from './readiness.js';
import { encodeSocketAddress } from './socket-address.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function open(factory: FurtherSockets): FurtherSocket {
  const opened = factory.open(0);
  cleanups.push(() => opened.close());
  return opened;
}

const readable = (fd: number): Promise<void> =>
  new Promise((resolve) => {
    const watch = watchReadable(
      fd,
      () => {
        watch.close();
        resolve();
      },
      () => 'stop',
    );
  });

describe('further sockets', () => {
  it('have ports of their own, and send and receive beside each other in little memory', async () => {
    const factory = new FurtherSockets(new PacketMemory(4));
    const sockets = Array.from({ length: 100 }, () => open(factory));
    expect(new Set(sockets.map(({ port }) => port)).size).toBe(100);
    const other = dgram.createSocket('udp4');
    cleanups.push(() => other.close());
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const to = encodeSocketAddress('127.0.0.1' as IpAddress, other.address().port);
    for (const [i, { socket, port }] of [sockets[3]!, sockets[97]!].entries()) {
      const arrived = once(other, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
      expect(socket.send(Uint8Array.of(i, 1, 2), to)).toBe(0);
      const [bytes, remote] = await arrived;
      expect([[...bytes], remote.port]).toEqual([[i, 1, 2], port]);
      other.send(Uint8Array.of(i, 3), port, '127.0.0.1');
      await readable(socket.fd);
      const received: number[][] = [];
      expect(socket.receive(4, (datagram) => received.push([...datagram]))).toBe(1);
      expect(received).toEqual([[i, 3]]);
    }
  });

  it('are closed once, however often', () => {
    const factory = new FurtherSockets(new PacketMemory(4));
    const first = open(factory);
    first.close();
    const second = open(factory); // may have the same descriptor
    first.close();
    expect(second.socket.send(new Uint8Array(1), encodeSocketAddress('127.0.0.1' as IpAddress, 9))).toBe(0);
  });
});
