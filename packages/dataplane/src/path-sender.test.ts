import type { IpAddress } from '@warren/base';
import { ERRNO, encodeSocketAddress, errnoName, type UdpSocket, type UdpSockets } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { noteSource, PathSender } from './path-sender.js';
import { PathTable } from './path-table.js';

const REMOTE = encodeSocketAddress('192.0.2.1' as IpAddress, 51_820);
const LOCAL = Uint8Array.of(198, 51, 100, 1);
const OTHER = Uint8Array.of(198, 51, 100, 2);
const DATAGRAM = new Uint8Array(4);

/** A socket that refuses every source address with `refusal`, or takes all. */
function setUp(refusal = 0) {
  const paths = new PathTable(() => []);
  const path = paths.intern(REMOTE)!;
  const sources: (string | undefined)[] = [];
  const lost: string[] = [];
  const take = (source: Uint8Array | undefined): number => {
    sources.push(source?.join('.'));
    return source ? refusal : 0;
  };
  const v4 = {
    send: (_datagram: Uint8Array, _to: Uint8Array, source?: Uint8Array) => take(source),
    sendBatch: (_offset: number, _length: number, _segment: number, _to: Uint8Array, source?: Uint8Array) =>
      take(source),
  } as Partial<UdpSocket> as UdpSocket;
  const sockets = { v4, v6: undefined } as Partial<UdpSockets> as UdpSockets;
  const sender = new PathSender({ sockets, paths }, (reason, packets) => lost.push(`${reason} ${packets}`));
  return { paths, path, sources, lost, sender };
}

describe('sending on a path', () => {
  it('goes out from where the path was last reached', () => {
    const { paths, path, sender, sources } = setUp();
    sender.send(path, DATAGRAM);
    noteSource(paths, path, LOCAL, true);
    sender.send(path, DATAGRAM);
    sender.sendBatch(path, 0, 8, 4);
    expect(sources).toEqual([undefined, '198.51.100.1', '198.51.100.1']);
  });

  it.each([ERRNO.EINVAL, ERRNO.ENETUNREACH, ERRNO.EADDRNOTAVAIL])(
    'goes out without the address that the host has lost (errno %i), at once and from then on',
    (errno) => {
      const { paths, path, sender, sources, lost } = setUp(errno);
      noteSource(paths, path, LOCAL, true);
      sender.send(path, DATAGRAM);
      sender.sendBatch(path, 0, 8, 4);
      expect(sources).toEqual(['198.51.100.1', undefined, undefined]);
      expect(lost).toEqual([]);
    },
  );

  it.each([ERRNO.EAGAIN, ERRNO.ENOBUFS, ERRNO.EPERM])(
    'is not tried again for other errors (errno %i), counts what is lost, and goes on',
    (errno) => {
      const { paths, path, sender, sources, lost } = setUp(errno);
      noteSource(paths, path, LOCAL, true);
      sender.sendBatch(path, 0, 9, 4);
      expect(sources).toHaveLength(1);
      expect(lost).toEqual([`udp-send-${errnoName(errno)} 3`]);
      paths.setSource(path, undefined);
      sender.send(path, DATAGRAM);
      expect(sources).toHaveLength(2);
      expect(lost).toHaveLength(1);
    },
  );

  it('loses what has no path or no socket, and says so', () => {
    const { paths, sender, lost } = setUp();
    sender.send(12_345 as PathId, DATAGRAM);
    sender.send(paths.intern(encodeSocketAddress('2001:db8::1' as IpAddress, 1))!, DATAGRAM);
    expect(lost).toEqual(['path-gone 1', 'no-socket-of-family 1']);
  });
});

describe('the source address of a path', () => {
  it('is what the first datagram came to, and then moved by authenticated ones only', () => {
    const { paths, path } = setUp();
    noteSource(paths, path, LOCAL, false);
    expect(paths.source(path)).toEqual(LOCAL);
    noteSource(paths, path, OTHER, false);
    expect(paths.source(path)).toEqual(LOCAL);
    noteSource(paths, path, OTHER, true);
    expect(paths.source(path)).toEqual(OTHER);
    noteSource(paths, path, undefined, true);
    expect(paths.source(path)).toEqual(OTHER);
  });

  it('is forgotten with the path', () => {
    const table = new PathTable(() => [], 2);
    const addresses = [1, 2, 3].map((port) => encodeSocketAddress('192.0.2.1' as IpAddress, port));
    const first = table.intern(addresses[0]!)!;
    table.setSource(first, LOCAL);
    table.intern(addresses[1]!);
    const third = table.intern(addresses[2]!)!; // both others go
    expect(table.source(first)).toBeUndefined();
    expect(table.source(third)).toBeUndefined();
    table.setSource(first, OTHER);
    expect([0, 1].map((slot) => table.source((third - (third % 2) + slot) as PathId))).toEqual([undefined, undefined]);
  });
});
