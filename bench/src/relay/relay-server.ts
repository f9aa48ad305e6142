import { ed25519PublicKey } from '@warren/crypto';
import { startSignalServer } from '@warren/signal';
import { AUTHORITY, RELAY_PORT, SERVER_KEY } from './relay-load.js';

// A signal server in a process of its own, so that its CPU time can be told from everything else's.
const server = await startSignalServer({
  host: '0.0.0.0',
  port: RELAY_PORT,
  key: SERVER_KEY,
  authorities: [ed25519PublicKey(AUTHORITY.expose())],
  clientBytesPerSecond: 5e9, // what coturn has no limit for
});
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => {
  void server.stats().then((stats) => {
    console.log(JSON.stringify(stats));
    return server.close();
  });
});
