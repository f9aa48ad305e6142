// A signal server that nobody may register at: signal-server.mjs [ALTERNATE-ADDRESS]
import { SecretKey } from '@warren/base';
import { startSignalServer } from '@warren/signal';

const [alternate] = process.argv.slice(2);
const server = await startSignalServer({
  host: '0.0.0.0',
  port: 3478,
  key: new SecretKey(new Uint8Array(32).fill(7)),
  authorities: [],
  ...(alternate && { alternate: { host: alternate, port: 3479 } }),
});
process.on('SIGTERM', () => void server.close());
console.log(`listening on ${server.port}`);
