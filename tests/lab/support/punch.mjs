// Plain simultaneous opening from this host to each partner, all at once, a socket for each. Prints whom it reached.
// Usage: punch.mjs SERVER MY-NAME PARTNER...
import { createSocket } from 'node:dgram';

const [, , server, name, ...partners] = process.argv;
const PUNCH_MS = 4_000;

function punch(partner) {
  const socket = createSocket('udp4');
  const pair = JSON.stringify({ me: `${name}>${partner}`, partner: `${partner}>${name}` });
  let where;
  let reached = false;
  const say = (word, to) => socket.send(JSON.stringify({ word }), to.port, to.address);
  socket.on('message', (bytes, from) => {
    const message = JSON.parse(bytes.toString());
    if (message.partner) where = message.partner;
    if (message.word) where = from;
    if (message.word === 'open') say('opened', from);
    if (message.word === 'opened') reached = true;
  });
  socket.bind();
  const timer = setInterval(() => (where ? say('open', where) : socket.send(pair, 3480, server)), 100);
  return new Promise((resolve) => {
    setTimeout(() => {
      clearInterval(timer);
      socket.close();
      resolve(reached ? [partner] : []);
    }, PUNCH_MS);
  });
}

console.log(JSON.stringify((await Promise.all(partners.map(punch))).flat()));
