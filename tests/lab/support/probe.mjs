// Finds out how the NAT in front of this host behaves (in the manner of RFC 5780) and prints it as JSON.
// Usage: probe.mjs SERVER OTHER-SERVER [SOURCE-PORT]
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const [, , server, other, port] = process.argv;
const ANSWER_MS = 3_000;
/** An answer that has not come this long after the one that does come has been dropped. */
const DROPPED_MS = 800;

async function open(sourcePort) {
  const socket = createSocket('udp4');
  const answers = new Map();
  socket.on('message', (bytes) => {
    const message = JSON.parse(bytes.toString());
    answers.set(message.id, message.seen);
    socket.emit(`answer ${message.id}`);
  });
  socket.bind(sourcePort);
  await once(socket, 'listening');
  const send = (to, toPort, message) => socket.send(JSON.stringify(message), toPort, to);
  const ask = async (to, toPort, id) => {
    // A NAT may drop a first packet whose port collides: ask again, as every STUN client does.
    const again = setInterval(send, 500, to, toPort, { id });
    send(to, toPort, { id });
    await once(socket, `answer ${id}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    clearInterval(again);
    return answers.get(id);
  };
  return { socket, answers, send, ask };
}

async function mapping() {
  const { socket, ask } = await open(Number(port ?? 0));
  const seen = [await ask(server, 3478, 'a'), await ask(server, 3479, 'b'), await ask(other, 3478, 'c')];
  const inner = socket.address().port;
  socket.close();
  let kind = 'address-and-port-dependent';
  if (seen[0] === seen[1]) kind = seen[0] === seen[2] ? 'endpoint-independent' : 'address-dependent';
  return { mapping: kind, seen, preserved: seen[0].endsWith(`:${inner}`) };
}

async function filtering() {
  const { socket, answers, send, ask } = await open(0);
  await ask(server, 3478, 'same');
  send(server, 3478, { id: 'other-port', from: 'other-port' });
  send(server, 3478, { id: 'other-address', from: 'other-address' });
  await delay(DROPPED_MS);
  socket.close();
  if (answers.has('other-address')) return 'endpoint-independent';
  return answers.has('other-port') ? 'address-dependent' : 'address-and-port-dependent';
}

const [mapped, filtered] = await Promise.all([mapping(), filtering()]);
console.log(JSON.stringify({ ...mapped, filtering: filtered }));
