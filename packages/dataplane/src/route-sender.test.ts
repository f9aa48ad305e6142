import type { Endpoint, IpAddress, PublicKey } from '@warren/base';
import type { Path, RelayPath, Way } from '@warren/paths';
import { encodeSocketAddress, MAX_DATAGRAM, PacketMemory, type UdpSocket, type UdpSockets } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { PathSender } from './path-sender.js';
import { PathTable } from './path-table.js';
import { type Route, relayAddress } from './route.js';
import { type Carriers, RELAY_HEADER_LENGTH, RouteSender } from './route-sender.js';

const PEER = 'peer' as PublicKey;
const HEADER = Uint8Array.from({ length: RELAY_HEADER_LENGTH }, (_, i) => 0xa8 + i);
const SERVER: Way = { kind: 'udp', socket: 0, endpoint: '192.0.2.9:3478' as Endpoint };
const STREAM: Way = { kind: 'tls', server: 'home' };
const at = (address: string, port: number) => encodeSocketAddress(address as IpAddress, port);

/** What a socket was given: datagrams, and where to. */
function recorder(memory: PacketMemory) {
  const calls: { readonly port: number; readonly datagrams: Uint8Array[]; readonly ecn: number }[] = [];
  const socket = {
    send(datagram: Uint8Array, to: Uint8Array, _source?: Uint8Array, ecn = 0): number {
      calls.push({ port: (to[2]! << 8) | to[3]!, datagrams: [datagram.slice()], ecn });
      return 0;
    },
    sendBatch(offset: number, length: number, segment: number, to: Uint8Array, _source?: Uint8Array, ecn = 0): number {
      expect(length).toBeLessThanOrEqual(MAX_DATAGRAM);
      const datagrams: Uint8Array[] = [];
      for (let from = offset; from < offset + length; from += segment) {
        datagrams.push(memory.bytes.slice(from, Math.min(from + segment, offset + length)));
      }
      calls.push({ port: (to[2]! << 8) | to[3]!, datagrams, ecn });
      return 0;
    },
  } as Partial<UdpSocket> as UdpSocket;
  return { calls, socket };
}

function setUp() {
  const memory = new PacketMemory(8);
  const paths = new PathTable(() => []);
  const own = recorder(memory);
  const further = recorder(memory);
  const lost: string[] = [];
  const streamed: Uint8Array[] = [];
  const notes: Route[] = [];
  const count = (reason: string, packets: number) => lost.push(`${reason} ${packets}`);
  const sockets = { v4: own.socket, v6: undefined } as Partial<UdpSockets> as UdpSockets;
  let streamOpen = true;
  const carriers: Carriers = {
    socket: (number) => (number === 3 ? further.socket : undefined),
    serverPath: (way) => (way === SERVER ? paths.intern(at('192.0.2.9', 3478)) : undefined),
    sendOnStream: (_way, header, datagram) => {
      if (streamOpen) streamed.push(Uint8Array.of(...header, ...datagram));
      return streamOpen;
    },
    noteSent: (route) => notes.push(route),
  };
  const sender = new RouteSender({ paths, memory, udp: new PathSender({ sockets, paths }, count), carriers }, count);
  const route = (path: Path, id: PathId, also?: PathId): Route => {
    const made: Route = { path, also, sentAt: 0, receivedAt: 0 };
    paths.setRoute(id, made);
    return made;
  };
  const relay = (way: Way): PathId => {
    const id = paths.intern(relayAddress(paths.size + 1))!;
    const path: RelayPath = { kind: 'relay', peer: PEER, server: 'home', transport: way.kind, header: HEADER, way };
    route(path, id);
    return id;
  };
  const straight = (socket: number): PathId => {
    const id = paths.intern(at('192.0.2.1', 1000 + socket))!;
    route({ kind: 'udp', peer: PEER, socket, endpoint: '192.0.2.1:1000' as Endpoint }, id);
    return id;
  };
  const closeStream = () => {
    streamOpen = false;
  };
  return { memory, paths, own, further, lost, streamed, notes, sender, relay, straight, closeStream };
}

/** Fills segments of this length, the last one shorter, with their number. */
function segments(memory: PacketMemory, count: number, length: number, last = length) {
  const offset = memory.allocate(count * length);
  for (let i = 0; i < count; i++) memory.bytes.fill(i + 1, offset + i * length, offset + (i + 1) * length);
  return { offset, total: (count - 1) * length + last };
}

describe('sending on routes', () => {
  it('sends what has no route straight, and tells nobody', () => {
    const { paths, own, sender, notes, memory } = setUp();
    const id = paths.intern(at('192.0.2.7', 77))!;
    const { offset, total } = segments(memory, 3, 10);
    sender.send(id, Uint8Array.of(1, 2), 1);
    sender.sendBatch(id, offset, total, 10, 2);
    expect(own.calls.map(({ port, datagrams, ecn }) => [port, datagrams.length, ecn])).toEqual([
      [77, 1, 1],
      [77, 3, 2],
    ]);
    expect(notes).toEqual([]);
  });

  it('puts the header before each segment and sends them to the server in one batch, without ECN', () => {
    const { own, sender, relay, memory, notes } = setUp();
    const { offset, total } = segments(memory, 5, 100, 40);
    sender.sendBatch(relay(SERVER), offset, total, 100, 2);
    expect(own.calls).toHaveLength(1);
    const [{ port, datagrams, ecn } = { port: 0, datagrams: [], ecn: 9 }] = own.calls;
    expect([port, ecn]).toEqual([3478, 0]);
    expect(datagrams.map(({ length }) => length)).toEqual([120, 120, 120, 120, 60]);
    for (const [i, datagram] of datagrams.entries()) {
      expect(datagram.subarray(0, RELAY_HEADER_LENGTH)).toEqual(HEADER);
      expect(new Set(datagram.subarray(RELAY_HEADER_LENGTH))).toEqual(new Set([i + 1]));
    }
    expect(notes).toHaveLength(1);
  });

  it('takes two batches when the headers make one too long, in order', () => {
    const { own, sender, relay, memory } = setUp();
    const { offset, total } = segments(memory, 46, 1424);
    sender.sendBatch(relay(SERVER), offset, total, 1424);
    expect(own.calls.length).toBe(2);
    const all = own.calls.flatMap(({ datagrams }) => datagrams);
    expect(all.map((datagram) => datagram[RELAY_HEADER_LENGTH])).toEqual(Array.from({ length: 46 }, (_, i) => i + 1));
  });

  it('sends each segment as a frame of the stream, and counts what is lost without one', () => {
    const { streamed, sender, relay, memory, lost, closeStream } = setUp();
    const { offset, total } = segments(memory, 3, 50, 7);
    const id = relay(STREAM);
    sender.sendBatch(id, offset, total, 50);
    sender.send(id, Uint8Array.of(9));
    expect(streamed.map(({ length }) => length)).toEqual([70, 70, 27, 21]);
    closeStream();
    sender.sendBatch(id, offset, total, 50);
    expect(lost).toEqual(['relay-stream-closed 1', 'relay-stream-closed 1', 'relay-stream-closed 1']);
  });

  it('sends a copy on the second path for as long as the route says so', () => {
    const { own, sender, relay, straight, paths, memory } = setUp();
    const id = straight(0);
    const route = paths.route(id)!;
    route.also = relay(SERVER);
    const { offset, total } = segments(memory, 2, 30);
    sender.send(id, Uint8Array.of(5));
    sender.sendBatch(id, offset, total, 30);
    route.also = undefined;
    sender.send(id, Uint8Array.of(6));
    expect(own.calls.map(({ port, datagrams }) => [port, datagrams.map(({ length }) => length)])).toEqual([
      [1000, [1]],
      [3478, [21]],
      [1000, [30, 30]],
      [3478, [50, 50]],
      [1000, [1]],
    ]);
  });

  it('sends from the socket that the path belongs to, and nowhere when it is closed', () => {
    const { own, further, sender, straight, memory, lost } = setUp();
    const { offset, total } = segments(memory, 2, 30);
    sender.sendBatch(straight(3), offset, total, 30);
    sender.send(straight(3), Uint8Array.of(5));
    sender.sendBatch(straight(4), offset, total, 30);
    expect(further.calls).toHaveLength(2);
    expect(own.calls).toEqual([]);
    expect(lost).toEqual(['socket-closed 2']);
  });

  it('loses what is too long for a header, and says so', () => {
    const { sender, relay, lost } = setUp();
    sender.send(relay(SERVER), new Uint8Array(MAX_DATAGRAM - RELAY_HEADER_LENGTH + 1));
    expect(lost).toEqual(['relay-datagram-too-long 1']);
  });

  it('loses what goes to a server without an address, and says so', () => {
    const { sender, relay, lost } = setUp();
    sender.send(relay({ ...SERVER }), Uint8Array.of(1));
    expect(lost).toEqual(['relay-unreachable 1']);
  });
});
