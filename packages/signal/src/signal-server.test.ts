import { createSocket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IpAddress } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import type { SignedTombstone } from '@warren/identity';
import { encodeFrame } from '@warren/paths';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SignalServer, SignalServerOptions } from './signal-api.js';
import { startSignalServer } from './signal-server.js';
import { LiveAgent, now } from './testing/live-agent.js';
import { AUTHORITY_KEY, random, SERVER_KEY, sendFrame, TestAgent } from './testing/test-agent.js';

// The worker runs as it was built.
const WORKER = new URL('../dist/worker.js', import.meta.url);
const DEADLINE = { timeout: 10_000, interval: 5 };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(options: Partial<SignalServerOptions> = {}, entry = WORKER): Promise<SignalServer> {
  const server = await startSignalServer(
    { host: '127.0.0.1', port: 0, key: SERVER_KEY, authorities: [AUTHORITY_KEY], ...options },
    entry,
  );
  closing.push(() => server.close());
  return server;
}

async function agent(name: string, server: SignalServer): Promise<LiveAgent> {
  const live = await LiveAgent.overUdp(name, server.port);
  closing.push(live.close);
  return live;
}

/** A connection over TCP: what TLS adds is the caller's. */
async function streamAgent(name: string, server: SignalServer): Promise<LiveAgent> {
  const listener: Server = createServer((stream) => {
    server.serveStream(stream, { address: '127.0.0.1' as IpAddress, port: stream.remotePort! });
    listener.close();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const stream: Duplex = connect(port, '127.0.0.1');
  const live = LiveAgent.overStream(name, stream);
  closing.push(live.close);
  return live;
}

/** Nobody else takes it within a test: the kernel gives out others first. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
  const { port } = socket.address();
  socket.close();
  return port;
}

const registered = (...agents: LiveAgent[]): Promise<void> =>
  vi.waitFor(() => expect(agents.every(({ client }) => client.registered)).toBe(true), DEADLINE);

const datagram = (value: number, length = 1_400): Uint8Array => new Uint8Array(length).fill(value);

describe('a signal server', () => {
  beforeAll(() => boxesReady);

  it('relays between two agents over UDP, and says where it sees them', async () => {
    const server = await serve();
    const [a, b] = [await agent('a', server), await agent('b', server)];
    await registered(a, b);
    expect(a.events[0]).toMatchObject({ type: 'registered', reflexive: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
    for (let i = 0; i < 50; i++) a.send(b, datagram(i, 100 + i));
    b.send(a, datagram(99));
    await vi.waitFor(() => expect([a.delivered.length, b.delivered.length]).toEqual([1, 50]), DEADLINE);
    expect(b.delivered.map((frame) => frame.datagram)).toEqual(
      Array.from({ length: 50 }, (_, i) => datagram(i, 100 + i)),
    );
    expect(b.delivered[0]).toMatchObject({ relayId: a.relayId, session: b.client.session });
    expect(a.delivered[0]).toMatchObject({ relayId: b.relayId, datagram: datagram(99) });
    expect(await server.stats()).toMatchObject({ sessions: 2, relayedDatagrams: 51 });
  });

  it('relays between streams, and between a stream and UDP', async () => {
    const server = await serve();
    const [a, b, c] = [await streamAgent('a', server), await streamAgent('b', server), await agent('c', server)];
    await registered(a, b, c);
    for (let i = 0; i < 20; i++) {
      a.send(b, datagram(i));
      a.send(c, datagram(i));
      c.send(a, datagram(i));
    }
    await vi.waitFor(
      () => expect([a.delivered.length, b.delivered.length, c.delivered.length]).toEqual([20, 20, 20]),
      DEADLINE,
    );
    expect(c.delivered.map((frame) => frame.datagram[0])).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(c.delivered[3]).toMatchObject({ relayId: a.relayId, session: c.client.session, datagram: datagram(3) });
  });

  it('forgets the agent of a connection that closes, and says so to whoever sends to it', async () => {
    const server = await serve();
    const [a, b] = [await streamAgent('a', server), await agent('b', server)];
    await registered(a, b);
    a.close();
    await vi.waitFor(async () => expect((await server.stats()).sessions).toBe(1), DEADLINE);
    b.send(a, datagram(1));
    await vi.waitFor(() => expect(b.events.at(-1)).toEqual({ type: 'not-here', destination: a.relayId }), DEADLINE);
  });

  it('ends sessions of revoked nodes, tells the others, and tells its own host what agents brought', async () => {
    const brought: SignedTombstone[] = [];
    const server = await serve({ onTombstone: (tombstone) => brought.push(tombstone) });
    const [a, b, c] = [await agent('a', server), await agent('b', server), await streamAgent('c', server)];
    await registered(a, b, c);
    const stone = b.tombstone();
    a.client.sendTombstone(stone.tombstone, stone.signature);
    a.settle();
    await vi.waitFor(() => expect(c.events.at(-1)).toEqual({ type: 'tombstone', ...stone }), DEADLINE);
    expect(brought).toEqual([stone]);
    b.client.check(now());
    b.settle();
    await vi.waitFor(() => expect(b.events.at(-1)).toEqual({ type: 'refused', reason: 'revoked' }), DEADLINE);
    const another = c.tombstone();
    server.addTombstones([another]);
    await vi.waitFor(() => expect(a.events.at(-1)).toEqual({ type: 'tombstone', ...another }), DEADLINE);
    expect((await server.stats()).sessions).toBe(1);
  });

  it('serves both families on one port', async () => {
    const server = await serve({ host: '::' });
    const a = await agent('a', server);
    await registered(a);
    const socket = createSocket('udp6');
    closing.push(() => socket.close());
    const answer = new Promise<Uint8Array>((resolve) => socket.once('message', resolve));
    const hello = new Uint8Array(64);
    hello[0] = 0xa0;
    socket.send(hello, server.port, '::1');
    expect((await answer)[0]).toBe(0xa1);
  });

  /** Where the answer to a binding request comes from. @param change bits of CHANGE-REQUEST (RFC 5780 §7.2). */
  async function stunAnswer(server: SignalServer, change: string, to = '127.0.0.1'): Promise<string> {
    const socket = createSocket('udp4');
    closing.push(() => socket.close());
    await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
    const answer = new Promise<string>((resolve) => {
      socket.once('message', (bytes, { address, port }) => {
        expect([...bytes.subarray(0, 2)]).toEqual([0x01, 0x01]);
        resolve(`${address}:${port}`);
      });
    });
    const request = Buffer.from(`000100082112a442${'07'.repeat(12)}000300040000000${change}`, 'hex');
    socket.send(request, server.port, to);
    return answer;
  }

  it('answers STUN, also from another port', async () => {
    const server = await serve();
    expect(await stunAnswer(server, '0')).toBe(`127.0.0.1:${server.port}`);
    const changed = await stunAnswer(server, '2');
    expect(changed).toMatch(/^127\.0\.0\.1:/);
    expect(changed).not.toBe(`127.0.0.1:${server.port}`);
  });

  it.each(['127.0.0.1', '0.0.0.0'])(
    'answers STUN from a second address where it has one, listening on %s',
    async (host) => {
      const alternate = { host: '127.0.0.2' as IpAddress, port: await freePort() };
      const server = await serve({ host, alternate });
      expect(await stunAnswer(server, '4')).toBe(`127.0.0.2:${server.port}`);
      expect(await stunAnswer(server, '6')).toBe(`127.0.0.2:${alternate.port}`);
      expect(await stunAnswer(server, '2')).toBe(`127.0.0.1:${alternate.port}`);
      // Whoever asks the second address is answered from there.
      expect(await stunAnswer(server, '0', '127.0.0.2')).toBe(`127.0.0.2:${server.port}`);
      expect(await stunAnswer(server, '4', '127.0.0.2')).toBe(`127.0.0.1:${server.port}`);
    },
  );

  it('reflects to nobody who has not registered more than 2.2 times what came in his name', async () => {
    const server = await serve();
    const socket = createSocket('udp4');
    closing.push(() => socket.close());
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve)); // answers come from another port too
    let bytesBack = 0;
    socket.on('message', (bytes) => {
      bytesBack += bytes.length;
    });
    const stranger = new TestAgent('stranger');
    const session = random(8);
    const nonce = random(8);
    const cookie = random(16);
    const stun = (attributes: string): Uint8Array =>
      Buffer.from(
        `0001${(attributes.length / 2).toString(16).padStart(4, '0')}2112a442${'07'.repeat(12)}${attributes}`,
        'hex',
      );
    const questions: [string, Uint8Array][] = [
      ['hello', encodeFrame({ type: 'hello', nonce })],
      ['register', encodeFrame({ type: 'register', nonce, cookie, ticket: stranger.ticket, box: random(65) })],
      ['alive?', encodeFrame({ type: 'alive?', session, sequence: 1 })],
      ['send', sendFrame(session, stranger, new Uint8Array(0))],
      ['tombstone', encodeFrame({ type: 'tombstone', session, ...stranger.tombstone() })],
      ['STUN binding', stun('')],
      ['STUN binding, change port', stun('0003000400000002')],
      ['STUN binding, unknown attribute', stun('7777000400000000')],
      ['STUN binding, fingerprint', stun('80280004deadbeef')],
      ['half a hello', encodeFrame({ type: 'hello', nonce }).subarray(0, 30)],
    ];
    const ratios: string[] = [];
    const marker = random(8);
    for (const [name, question] of questions) {
      const before = bytesBack;
      const repeat = 5;
      for (let i = 0; i < repeat; i++) socket.send(question, server.port, '127.0.0.1');
      // A server handles datagrams of one socket in order: when it has answered this, it has answered all before.
      const answered = new Promise<void>((resolve) => {
        socket.on('message', (bytes) => bytes.includes(Buffer.from(marker)) && resolve());
      });
      marker[0]!++;
      socket.send(encodeFrame({ type: 'hello', nonce: marker }), server.port, '127.0.0.1');
      await answered;
      const ratio = (bytesBack - before - 28) / (repeat * question.length);
      ratios.push(`${name}: ${ratio.toFixed(2)}`);
      expect(ratio, name).toBeLessThanOrEqual(2.2);
    }
    console.info(`bytes out to bytes in for strangers: ${ratios.join(', ')}`);
  });

  it('refuses a port in use, a wrong address and a wrong key with one line each', async () => {
    const server = await serve();
    await expect(serve({ port: server.port })).rejects.toMatchObject({ code: 'port-in-use' });
    await expect(serve({ host: 'localhost' })).rejects.toMatchObject({ code: 'bad-address' });
    await expect(serve({ host: '192.0.2.77' })).rejects.toMatchObject({ code: 'address-not-here' });
    await expect(serve({ authorities: [new Uint8Array(5)] })).rejects.toMatchObject({ code: 'bad-authority' });
  });

  it('says why it has ended by itself, and frees its port', async () => {
    const program = `
      import { parentPort as port } from 'node:worker_threads';
      port.on('message', ({ type }) => {
        if (type === 'start') port.postMessage({ type: 'started', port: 4711, descriptors: [] });
        if (type === 'stats') throw new Error('a bug');
      });`;
    const server = await serve({}, new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    await expect(server.stats()).rejects.toMatchObject({ code: 'signal-closed' });
    expect(await server.closed).toMatchObject({ code: 'signal-failed', message: 'the signal server failed: a bug' });
    await server.close();
  });

  it('ends when it is told to, and its port is free again', async () => {
    const server = await serve();
    await server.close();
    expect(await server.closed).toBeUndefined();
    const second = await serve({ port: server.port });
    expect(second.port).toBe(server.port);
    await expect(server.stats()).rejects.toMatchObject({ code: 'signal-closed' });
  });
});
