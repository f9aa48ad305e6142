import { randomFillSync } from 'node:crypto';
import { type Instant, instant, invariant } from '@warren/base';
import { boxesReady, boxPublicKey } from '@warren/crypto/boxes';
import { signTicket } from '@warren/identity';
import { createRelayClient, FRAME_TYPE, RELAY_HEADER_LENGTH, writeSendHeader } from '@warren/paths';
import { encodeSocketAddress, openUdpSockets, PacketMemory, type UdpSocket, watchReadable } from '@warren/udp';
import {
  AUTHORITY,
  type LoadOptions,
  type LoadResult,
  pathKeyOf,
  RELAY_PORT,
  relayIdOfRole,
  SERVER_KEY,
  ticketOf,
} from './relay-load.js';
import {
  allocateRequest,
  CHANNEL_HEADER_LENGTH,
  channelBindRequest,
  isSuccess,
  writeChannelHeader,
} from './turn-client.js';

// Sender or receiver of one round; LoadOptions as JSON is its argument.
const options = JSON.parse(process.argv[2]!) as LoadOptions;
const PAGES = 12;
/** How long after the last datagram the receiver waits. */
const SETTLE_MS = 200;
/** Batches between two looks at the clock and the socket. */
const BATCHES_PER_TURN = 32;

await boxesReady;
const memory = new PacketMemory(PAGES);
const port = options.role === 'receiver' ? options.receiver.port : 0;
const socket = openUdpSockets({ port, memory, path: 'offload' }).v4;
invariant(socket, 'this host has IPv4');
const relay = encodeSocketAddress(options.relay, RELAY_PORT);
if (options.role === 'sender') await send(socket);
else await receive(socket);
process.exit(0);

/** Sends as fast as the kernel takes it, warm-up included. */
async function send(udp: UdpSocket): Promise<void> {
  const header = await (options.protocol === 'warren' ? register(udp) : allocate(udp));
  const length = header.length + options.size;
  const offset = memory.allocate(length * options.batch);
  for (let i = 0; i < options.batch; i++) memory.bytes.set(header, offset + i * length);
  const end = performance.now() + options.warmUpMs + options.seconds * 1_000 + SETTLE_MS;
  console.log('sending');
  while (performance.now() < end) {
    for (let i = 0; i < BATCHES_PER_TURN; i++) udp.sendBatch(offset, length * options.batch, length, relay);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Counts from the end of the warm-up on, for as long as asked. */
async function receive(udp: UdpSocket): Promise<void> {
  let [datagrams, bytes] = [0, 0];
  let startedAt: number | undefined;
  const overhead = options.protocol === 'warren' ? RELAY_HEADER_LENGTH : 0;
  if (options.protocol === 'warren') await register(udp);
  console.log('listening');
  const result = await new Promise<LoadResult>((resolve) => {
    watchReadable(
      udp.fd,
      () => {
        const now = performance.now();
        startedAt ??= now;
        for (let turn = 0; turn < 64; turn++) {
          const length = udp.receiveBatch();
          if (length < 0) break;
          const count = Math.ceil(length / udp.batch.segmentLength);
          datagrams += count;
          bytes += length - count * overhead;
        }
      },
      () => 'continue',
    );
    const timer = setInterval(() => {
      if (startedAt === undefined || performance.now() < startedAt + options.warmUpMs) return;
      clearInterval(timer);
      [datagrams, bytes] = [0, 0];
      const began = performance.now();
      console.log('counting');
      setTimeout(
        () => resolve({ datagrams, bytes, seconds: (performance.now() - began) / 1_000 }),
        options.seconds * 1_000,
      );
    }, 20);
  });
  console.log(`result ${JSON.stringify(result)}`);
}

/** @returns what comes before each datagram. */
async function register(udp: UdpSocket): Promise<Uint8Array> {
  const client = createRelayClient({
    server: 'bench',
    serverKey: boxPublicKey(SERVER_KEY.expose()),
    transport: 'udp',
    pathKey: pathKeyOf(options.role),
    random: (length) => randomFillSync(new Uint8Array(length)),
  });
  client.setTicket(signTicket(AUTHORITY, ticketOf(options.role)), now());
  client.start(now());
  while (!client.registered) {
    for (let frame = client.pollTransmit(); frame; frame = client.pollTransmit()) udp.send(frame, relay);
    await new Promise((resolve) => setTimeout(resolve, 5));
    udp.receive(16, (datagram) => void (datagram[0] !== FRAME_TYPE.deliver && client.handleFrame(datagram, now())));
    client.handleTimeout(now());
  }
  const header = new Uint8Array(RELAY_HEADER_LENGTH);
  writeSendHeader(header, client.session!, relayIdOfRole(options.role === 'sender' ? 'receiver' : 'sender'));
  return header;
}

/** @returns what comes before each datagram. */
async function allocate(udp: UdpSocket): Promise<Uint8Array> {
  for (const request of [allocateRequest(), channelBindRequest(options.receiver)]) await ask(udp, request);
  const header = new Uint8Array(CHANNEL_HEADER_LENGTH);
  writeChannelHeader(header, options.size);
  return header;
}

async function ask(udp: UdpSocket, request: Uint8Array): Promise<void> {
  for (let attempt = 0, answered = false; !answered; attempt++) {
    invariant(attempt < 200, `the TURN server does not grant ${request[1]}`);
    if (attempt % 20 === 0) udp.send(request, relay);
    await new Promise((resolve) => setTimeout(resolve, 5));
    udp.receive(16, (datagram) => {
      answered ||= isSuccess(datagram, request);
    });
  }
}

function now(): Instant {
  return instant(performance.now());
}
