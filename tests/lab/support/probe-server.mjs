// Tells a sender its outer endpoint, from the port that was asked, from another port, or from another server.
// Usage: probe-server.mjs OTHER-SERVER
import { createSocket } from 'node:dgram';

const [, , other] = process.argv;
const PORTS = [3478, 3479];
const sockets = PORTS.map((port) => {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const message = JSON.parse(bytes.toString());
    if (message.to) socket.send(JSON.stringify(message.answer), message.to.port, message.to.address);
    else answer(message, from, socket);
  });
  socket.bind(port, '0.0.0.0', () => console.log(`listening on ${port}`));
  return socket;
});

function answer(message, from, socket) {
  const reply = { id: message.id, seen: `${from.address}:${from.port}` };
  if (message.from === 'other-address') {
    socket.send(JSON.stringify({ to: { address: from.address, port: from.port }, answer: reply }), PORTS[0], other);
    return;
  }
  const sender = message.from === 'other-port' ? sockets.find((candidate) => candidate !== socket) : socket;
  sender.send(JSON.stringify(reply), from.port, from.address);
}
