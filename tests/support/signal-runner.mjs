// Runs one signal server from a JSON file, for tests on the hosts of a lab: UDP, and TLS on a port of its own. Prints `ready {port}`,
// `stats N {…}` at SIGUSR1, `tombstone BASE64` for each that an agent brought.
import { readFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:tls';
import { fromBase64, parseIpAddress, SecretKey } from '@warren/base';
import { RELAY_ALPN, startSignalServer } from '@warren/signal';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const print = (line) => writeSync(1, `${line}\n`);

const server = await startSignalServer({
  host: config.host,
  port: config.port,
  key: SecretKey.parse(config.key),
  authorities: config.authorities.map(fromBase64),
  onTombstone: ({ tombstone }) => print(`tombstone ${Buffer.from(tombstone).toString('base64')}`),
  log: (level, message) => print(`log ${level} ${message}`),
});
if (config.tls) {
  const { cert, key, port } = config.tls;
  createServer({ cert, key, ALPNProtocols: [RELAY_ALPN], minVersion: 'TLSv1.3' }, (socket) => {
    const address = parseIpAddress((socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
    if (address) server.serveStream(socket, { address, port: socket.remotePort });
    else socket.destroy();
  }).listen(port, '::');
}
let asked = 0;
process.on('SIGUSR1', async () => {
  asked++;
  print(`stats ${asked} ${JSON.stringify(await server.stats())}`);
});
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
print(`ready ${JSON.stringify({ port: server.port })}`);
