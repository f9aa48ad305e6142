import { createSocket, type Socket } from 'node:dgram';
import { type HostPort, type IpAddress, parseIpAddress } from '@warren/base';
import { createBindingServer, type ServerSocket } from '@warren/stun';
import { describe, expect, it } from 'vitest';
import { Cleanup } from '../testing/run.js';
import { discoverNat } from './discover.js';
import { findingOf } from './finding.js';

/** A binding server on two ports of a loopback address. */
async function serve(cleanup: Cleanup, address: string): Promise<HostPort> {
  const open = async (): Promise<Socket> => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    cleanup.add(() => void socket.close());
    return socket;
  };
  const opened = { primary: await open(), 'alternate-port': await open() };
  const at = (socket: Socket) => ({ address: address as IpAddress, port: socket.address().port });
  const sockets = { primary: at(opened.primary), 'alternate-port': at(opened['alternate-port']) };
  const server = createBindingServer({ sockets });
  for (const [name, socket] of Object.entries(opened) as ['primary' | 'alternate-port', Socket][]) {
    socket.on('message', (datagram, from) => {
      const client = { address: parseIpAddress(from.address)!, port: from.port };
      const answer = server.answer(datagram, client, name as ServerSocket);
      if (!answer) return;
      opened[answer.via as keyof typeof opened].send(answer.datagram, answer.to.port, answer.to.address);
    });
  }
  return `${address}:${sockets.primary.port}` as HostPort;
}

describe('discovery over real sockets', () => {
  it('finds no NAT before the loopback interface', async () => {
    const cleanup = new Cleanup();
    try {
      const targets = [
        { id: 'a', udp: await serve(cleanup, '127.0.0.1') },
        { id: 'b', udp: await serve(cleanup, '127.0.0.2') },
        { id: 'c', udp: 'no-such-name.invalid:3478' as HostPort },
      ];
      const discovery = await discoverNat(targets);
      expect(discovery.ipv4).toMatchObject({ udp: true, mapping: 'none', filtering: 'none' });
      expect(discovery.ipv4?.servers.map(({ rttMs }) => typeof rttMs)).toEqual(['number', 'number']);
      expect(discovery.unresolved).toEqual(['c']);
      expect(findingOf(discovery)).toMatchObject({ udp: true, reflexive: [expect.stringMatching(/^127\.0\.0\.1:/)] });
    } finally {
      await cleanup.run();
    }
  });

  it('finds that nobody answers, and can be given up', async () => {
    const cleanup = new Cleanup();
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    cleanup.add(() => void silent.close());
    const targets = [{ id: 'a', udp: `127.0.0.1:${silent.address().port}` as HostPort }];
    try {
      const abort = new AbortController();
      const given = discoverNat(targets, abort.signal);
      silent.once('message', () => abort.abort());
      expect(await given).toEqual({ unresolved: [] });
      expect(findingOf(await discoverNat(targets))).toMatchObject({ udp: false, mapping: 'unknown' });
    } finally {
      await cleanup.run();
    }
  });
});
