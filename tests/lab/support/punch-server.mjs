// Introduces pairs of sockets to each other: answers with where it sees the sender, and where it saw its partner.
import { createSocket } from 'node:dgram';

const seen = new Map();
const socket = createSocket('udp4');
socket.on('message', (bytes, from) => {
  const { me, partner } = JSON.parse(bytes.toString());
  seen.set(me, { address: from.address, port: from.port });
  socket.send(JSON.stringify({ partner: seen.get(partner) }), from.port, from.address);
});
socket.bind(3480, () => console.log('introducing'));
