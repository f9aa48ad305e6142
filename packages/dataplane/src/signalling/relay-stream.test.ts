import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HostPort } from '@warren/base';
import { encodeStreamFrame, StreamFrames } from '@warren/paths';
import { afterEach, describe, expect, it } from 'vitest';
import { RelayStream } from './relay-stream.js';

const NOTHING = new Uint8Array(0);
const DEADLINE = { timeout: 10_000, interval: 5 };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; address: HostPort }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // the other end may go at any time
    closing.push(() => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return { server, address: `127.0.0.1:${(server.address() as { port: number }).port}` as HostPort };
}

/** TCP in place of TLS, whose negotiation the tests in namespaces show. */
function plainConnect(alpn: string) {
  return ({ host, port }: { readonly host: string; readonly port: number }): TLSSocket => {
    const socket = connect(port, host) as Socket & { alpnProtocol?: string };
    socket.alpnProtocol = alpn;
    socket.once('connect', () => socket.emit('secureConnect'));
    return socket as unknown as TLSSocket;
  };
}

function open(addresses: readonly HostPort[], alpn = 'warren-relay/1') {
  const events: string[] = [];
  const frames: Uint8Array[] = [];
  const stream = new RelayStream({
    addresses,
    root: '',
    serverName: '',
    connect: plainConnect(alpn),
    onOpen: () => events.push('open'),
    onClosed: (reason) => events.push(reason),
    onFrame: (frame) => frames.push(frame.slice()),
    onIdle: () => undefined,
  });
  closing.push(() => stream.close());
  return { stream, events, frames };
}

describe('a stream to a signal server', () => {
  it('carries frames both ways, whole and in order', async () => {
    const received: Uint8Array[] = [];
    const { address } = await listen((socket) => {
      const parser = new StreamFrames();
      socket.on('data', (chunk) => parser.take(chunk, (frame) => received.push(frame.slice())));
      socket.write(Buffer.concat([1, 2, 3].map((n) => encodeStreamFrame(new Uint8Array(n * 1_000).fill(n)))));
    });
    const { stream, events, frames } = open([address]);
    expect(stream.send(NOTHING, Uint8Array.of(1))).toBe(false);
    await expect.poll(() => events, DEADLINE).toEqual(['open']);
    const header = Uint8Array.of(0xa8, 0);
    for (let i = 0; i < 100; i++) expect(stream.send(header, new Uint8Array(1_000).fill(i))).toBe(true);
    await expect.poll(() => received.length, DEADLINE).toBe(100);
    expect(received.map((frame) => [frame[0], frame[2], frame.length])).toEqual(
      Array.from({ length: 100 }, (_, i) => [0xa8, i, 1_002]),
    );
    await expect.poll(() => frames.map(({ length }) => length), DEADLINE).toEqual([1_000, 2_000, 3_000]);
  });

  it('keeps little for a server that reads too slowly: the oldest frames go', async () => {
    let sleepy: Socket | undefined;
    const { address } = await listen((socket) => {
      sleepy = socket.pause();
    });
    const { stream, events } = open([address]);
    await expect.poll(() => events, DEADLINE).toEqual(['open']);
    for (let sent = 0; stream.dropped === 0 && sent < 100_000; sent++) {
      stream.send(NOTHING, new Uint8Array(10_000).fill(sent & 0xff));
      if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stream.dropped).toBeGreaterThan(0);
    stream.send(NOTHING, Uint8Array.of(0xee));
    const parser = new StreamFrames();
    let last: Uint8Array | undefined;
    sleepy!.on('data', (chunk) =>
      parser.take(chunk, (frame) => {
        last = frame.slice();
      }),
    );
    sleepy!.resume();
    await expect.poll(() => last?.[0], DEADLINE).toBe(0xee);
  });

  it('takes the first address that answers, without waiting for one that does not', async () => {
    const { server, address: refusing } = await listen(() => undefined);
    server.close();
    const { address } = await listen(() => undefined);
    const { events } = open([refusing, address]);
    await expect.poll(() => events, DEADLINE).toEqual(['open']);
  });

  it('says why when no address answers, and goes on trying', async () => {
    const { server, address } = await listen(() => undefined);
    const { port } = server.address() as { port: number };
    server.close();
    const { events } = open([address]);
    await expect.poll(() => events, DEADLINE).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
    const again = createServer(() => undefined).listen(port, '127.0.0.1');
    closing.push(() => again.close());
    await expect.poll(() => events.at(-1), DEADLINE).toBe('open');
  });

  it('is opened anew when it ends, at once when asked', async () => {
    let connections = 0;
    const { address } = await listen((socket) => {
      connections++;
      if (connections === 1) setImmediate(() => socket.destroy());
    });
    const { events, stream } = open([address]);
    await expect.poll(() => events, DEADLINE).toEqual(['open', expect.stringContaining('closed by the server')]);
    stream.retry();
    await expect.poll(() => events.at(-1), DEADLINE).toBe('open');
    expect(connections).toBe(2);
  });

  it('does not talk to a server that serves no relay there', async () => {
    const { address } = await listen(() => undefined);
    const { events } = open([address], 'h2');
    await expect.poll(() => events[0], DEADLINE).toMatch(/no relay is served there/);
  });

  it('tells nothing after it was closed', async () => {
    const { address } = await listen(() => undefined);
    const { stream, events } = open([address]);
    await expect.poll(() => events, DEADLINE).toEqual(['open']);
    stream.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['open']);
    expect(stream.send(NOTHING, Uint8Array.of(1))).toBe(false);
  });
});
