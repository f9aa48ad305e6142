// Speaks to a signal server as somebody who should not be let in. Commands come as one JSON argument, results go to stdout.
//   register: { server, serverKey, pathKey, ticket }  → { registered, refused }
//   relay: the same and { destinations: [relay id] }  → { registered, answers: { 'not-here': 2, … } }
//   provoke: { server }                               → [{ what, sent, received }]: bytes, unauthenticated

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { SecretKey } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { createRelayClient, decodeFrame, encodeFrame } from '@warren/paths';

const request = JSON.parse(process.argv[2]);
const [address, port] = request.server.split(':');
const hex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const socket = createSocket('udp4');
const send = (bytes) => socket.send(bytes, Number(port), address);

await boxesReady;
if (request.command === 'provoke') await provoke();
else await register();
socket.close();

async function register() {
  const client = createRelayClient({
    server: 'server',
    serverKey: hex(request.serverKey),
    transport: 'udp',
    pathKey: new SecretKey(hex(request.pathKey)),
    random: (length) => new Uint8Array(randomBytes(length)),
  });
  const now = () => Math.round(performance.now());
  const result = { registered: false, refused: null, answers: {} };
  const drain = () => {
    for (let frame = client.pollTransmit(); frame; frame = client.pollTransmit()) send(frame);
    for (let event = client.pollEvent(); event; event = client.pollEvent()) {
      if (event.type === 'registered') result.registered = true;
      if (event.type === 'refused') result.refused = event.reason;
    }
  };
  socket.on('message', (bytes) => {
    const type = decodeFrame(bytes)?.type ?? 'other';
    result.answers[type] = (result.answers[type] ?? 0) + 1;
    client.handleFrame(new Uint8Array(bytes), now());
    drain();
  });
  client.setTicket(hex(request.ticket), now());
  client.start(now());
  drain();
  await until(
    () => result.registered || result.refused !== null,
    () => {
      client.handleTimeout(now());
      drain();
    },
  );
  if (request.destinations && client.session) {
    for (const relayId of request.destinations) {
      const frame = { type: 'send', session: client.session, relayId: hex(relayId), datagram: randomBytes(100) };
      for (let i = 0; i < 20; i++) send(encodeFrame(frame));
    }
    await until(
      () => false,
      () => undefined,
      1_500,
    );
  }
  console.log(JSON.stringify(result));
}

async function provoke() {
  const session = randomBytes(8);
  const relayId = randomBytes(8);
  const stun = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
  const kinds = {
    'STUN binding request': () => stun,
    hello: () => encodeFrame({ type: 'hello', nonce: randomBytes(8) }),
    register: () =>
      encodeFrame({
        type: 'register',
        nonce: randomBytes(8),
        cookie: randomBytes(16),
        ticket: randomBytes(180),
        box: randomBytes(81),
      }),
    'alive?': () => encodeFrame({ type: 'alive?', session, sequence: 1 }),
    send: () => encodeFrame({ type: 'send', session, relayId, datagram: new Uint8Array(0) }),
    'long send': () => encodeFrame({ type: 'send', session, relayId, datagram: randomBytes(1_200) }),
    deliver: () => Buffer.concat([Buffer.from('a9000000', 'hex'), session, relayId, randomBytes(32)]),
    tombstone: () =>
      encodeFrame({ type: 'tombstone', session, tombstone: randomBytes(200), signature: randomBytes(64) }),
    'sealed message': () => Buffer.concat([Buffer.from('b0000000', 'hex'), relayId, randomBytes(100)]),
    initiation: () => Buffer.concat([Buffer.from('01000000', 'hex'), randomBytes(144)]),
    noise: () => randomBytes(64),
  };
  const results = [];
  for (const [what, make] of Object.entries(kinds)) {
    let sent = 0;
    let received = 0;
    const count = (bytes) => {
      received += bytes.length;
    };
    socket.on('message', count);
    for (let i = 0; i < 50; i++) {
      const bytes = make();
      sent += bytes.length;
      send(bytes);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.off('message', count);
    results.push({ what, sent, received });
  }
  console.log(JSON.stringify(results));
}

async function until(done, step, limit = 8_000) {
  const end = performance.now() + limit;
  while (!done() && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    step();
  }
}
