// Attacks one WireGuard interface from many addresses and ports, for a bounded time and at a bounded rate.
// Argument: a JSON file with { target, port, publicKey (base64), addresses, portsPerAddress, seconds, replays (hex) }.
// Prints `flooding` when it begins and `done {…}` at the end: what was sent, and what was answered to which kind.
import { randomBytes, randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import { SecretKey, unixMillis } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { createDevice } from '@warren/wireguard';

const { target, port, publicKey, addresses, portsPerAddress, seconds, replays } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);
/** Different initiations; the rest of a flood repeats them, which a responder that keeps nothing cannot know. */
const INITIATIONS = 60;
/** Datagrams of each kind at once, and how often. */
const BURST = 20;
const INTERVAL = 10;

const random = (length) => new Uint8Array(randomBytes(length));

/** Initiations of a stranger: their mac1 is right, since the responder's public key is known. */
function initiations() {
  const stranger = createDevice({
    crypto: nobleProvider,
    privateKey: new SecretKey(random(32)),
    random,
    wallClock: () => unixMillis(Date.now()),
    pathBytes: () => new Uint8Array(6),
    mtu: 1420,
  });
  stranger.setPeer({ publicKey, allowedIps: [], path: 1 }, 0);
  return Array.from({ length: INITIATIONS }, (_, i) => {
    stranger.initiateHandshake(publicKey, i * 10_000);
    return stranger.pollTransmit().datagram;
  });
}

/** Without a right mac1, an index or a tag: noise, noise behind a right type, damaged initiations. */
function junk(right) {
  const bytes = random(randomInt(0, 220));
  const kind = randomInt(4);
  if (kind > 0 && bytes.length >= 4) bytes.set([randomInt(1, 5), 0, 0, 0]);
  if (kind < 3) return bytes;
  const damaged = Uint8Array.from(right);
  damaged[8 + randomInt(damaged.length - 24)] ^= 1 + randomInt(255);
  return damaged;
}

const answers = { initiation: {}, junk: {}, replay: {} };
const sent = { initiation: 0, junk: 0, replay: 0 };

async function openSockets(kind) {
  const sockets = [];
  for (const address of addresses) {
    for (let i = 0; i < portsPerAddress; i++) {
      const socket = dgram.createSocket('udp4');
      socket.on('message', (message) => {
        const name = `type ${message[0]}, ${message.length} bytes`;
        answers[kind][name] = (answers[kind][name] ?? 0) + 1;
      });
      await new Promise((resolve) => socket.bind(0, address, resolve));
      sockets.push(socket);
    }
  }
  return sockets;
}

const sockets = {};
for (const kind of Object.keys(sent)) sockets[kind] = await openSockets(kind);
const send = (kind, datagram) => {
  sockets[kind][sent[kind]++ % sockets[kind].length].send(datagram, port, target);
};

const pool = initiations();
const captured = replays.map((hex) => Buffer.from(hex, 'hex')).reverse();
console.log('flooding');
const end = performance.now() + seconds * 1_000;
await new Promise((resolve) => {
  const timer = setInterval(() => {
    for (let i = 0; i < BURST; i++) {
      send('initiation', pool[sent.initiation % pool.length]);
      send('junk', junk(pool[sent.junk % pool.length]));
      if (i % 4 === 0) send('replay', captured[sent.replay % captured.length]);
    }
    if (performance.now() < end) return;
    clearInterval(timer);
    setTimeout(resolve, 200); // what is still on its way
  }, INTERVAL);
});
console.log(`done ${JSON.stringify({ sent, answers })}`);
for (const open of Object.values(sockets).flat()) open.close();
