// One end of two streams of numbered UDP packets: `node packet-stream.mjs OWN PEER PORT EVERY_MS`. Begins when the other end is
// there, stops at SIGINT, waits until the other end has stopped too and all is in, and prints what was sent and what came.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const [own, peer, port, every] = process.argv.slice(2);
const interval = Number(every);
const HELLO = 0;
const END = 0xffffffff;
const DRAIN_MS = 1_500;

const socket = createSocket(isIPv6(own) ? 'udp6' : 'udp4');
const counts = new Map();
let sent = 0;
let startedAt;
let stopping = false;
let othersEnd = false;

const send = (number, payload = 0) => {
  const packet = Buffer.alloc(100);
  packet.writeUInt32BE(number, 0);
  packet.writeUInt32BE(payload, 4);
  socket.send(packet, Number(port), peer, () => undefined);
};

socket.on('message', (packet) => {
  const number = packet.readUInt32BE(0);
  if (number === END) othersEnd = true;
  else if (number !== HELLO) counts.set(number, (counts.get(number) ?? 0) + 1);
  if (startedAt === undefined) begin();
});

function begin() {
  clearInterval(hello);
  // The other end may have heard none of ours.
  send(HELLO);
  startedAt = performance.now();
  process.stdout.write('begun\n');
}

function tick() {
  if (startedAt === undefined || stopping) return;
  // As many as are due: a timer that is late catches up.
  for (const due = Math.floor((performance.now() - startedAt) / interval); sent < due; ) send(++sent);
}

function end() {
  if (stopping) return;
  stopping = true;
  const until = performance.now() + 10_000;
  const say = setInterval(() => {
    send(END);
    if (!othersEnd && performance.now() < until) return;
    clearInterval(say);
    setTimeout(report, DRAIN_MS);
  }, 100);
}

function report() {
  const more = [...counts].filter(([, count]) => count > 1).map(([number]) => number);
  process.stdout.write(`${JSON.stringify({ sent, received: ranges(), more })}\n`, () => process.exit(0));
}

/** First and last of each run of numbers that came. */
function ranges() {
  const found = [];
  for (const number of [...counts.keys()].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}

let hello;
socket.bind(Number(port), own, () => {
  socket.setRecvBufferSize(8 << 20);
  hello = setInterval(() => send(HELLO), 50);
  setInterval(tick, 1);
  setInterval(() => process.stdout.write(`in ${counts.size}\n`), 200);
});
process.on('SIGINT', end);
