// Sends random bytes over TCP, and counts and hashes what arrives. `server ADDRESS PORT` prints `listening`, then
// `received BYTES SHA256`; `client ADDRESS PORT MEGABYTES` prints `sent BYTES SHA256 MS`.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

const [mode, address, port, megabytes] = process.argv.slice(2);
const hash = createHash('sha256');
let bytes = 0;
const count = (chunk) => {
  bytes += chunk.length;
  hash.update(chunk);
};

if (mode === 'server') {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', count);
    socket.on('end', () => {
      console.log(`received ${bytes} ${hash.digest('hex')}`);
      socket.end();
      server.close();
    });
  });
  server.listen(Number(port), address, () => console.log('listening'));
} else {
  const socket = net.connect({ host: address, port: Number(port) });
  await once(socket, 'connect');
  const began = performance.now();
  const block = randomBytes(1 << 20);
  for (let i = 0; i < Number(megabytes); i++) {
    block.writeUInt32LE(i, 0);
    const chunk = Buffer.from(block);
    count(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  // The server ends its side after it has seen all.
  socket.resume();
  await once(socket, 'end');
  console.log(`sent ${bytes} ${hash.digest('hex')} ${Math.round(performance.now() - began)}`);
}
