// Discovers the NAT before this host from fresh sockets, and prints the result as JSON: discover.mjs ADDRESS:PORT…
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { createNatDiscovery } from '@warren/stun';

const servers = process.argv.slice(2).map((text) => {
  const [address, port] = text.split(':');
  return { id: text, endpoint: { address, port: Number(port) } };
});
const localAddresses = Object.values(networkInterfaces()).flatMap((all) => all.map(({ address }) => address));
const discovery = createNatDiscovery({ servers, localAddresses, random: randomBytes, now: performance.now() });
const sockets = new Map();
let timer;

function open(number) {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, { address, port }) => {
    discovery.handleDatagram(number, datagram, { address, port }, performance.now());
    pump();
  });
  sockets.set(number, socket);
  return socket;
}

function pump() {
  clearTimeout(timer);
  for (let out = discovery.pollTransmit(); out; out = discovery.pollTransmit()) {
    (sockets.get(out.socket) ?? open(out.socket)).send(out.datagram, out.to.port, out.to.address, () => undefined);
  }
  const result = discovery.result();
  if (result) {
    for (const socket of sockets.values()) socket.close();
    console.log(JSON.stringify(result));
    return;
  }
  timer = setTimeout(
    () => {
      discovery.handleTimeout(performance.now());
      pump();
    },
    Math.max(1, discovery.pollTimeout() - performance.now()),
  );
}
pump();
