// Runs one data plane from a JSON file, for tests on the hosts of a lab. Prints a line for each event:
// `ready {…}`, `failed {code, message}`, `log LEVEL …`, `stats N {…}` at SIGUSR1, `ended CODE MS` at SIGTERM or by itself.
// SIGUSR2 calls process.exit while everything runs.
import { readFileSync, writeSync } from 'node:fs';
import { parsePublicKey, SecretKey } from '@warren/base';
import { startDataPlane } from '@warren/dataplane';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// Synchronous, so that nothing is lost at process.exit.
const print = (line) => writeSync(1, `${line}\n`);

// Where programs are looked for, so that a test can take them away.
if (config.path !== undefined) process.env.PATH = config.path;

const peers = config.peers.map((peer) => ({
  ...peer,
  publicKey: parsePublicKey(peer.publicKey),
  ...(peer.presharedKey ? { presharedKey: SecretKey.parse(peer.presharedKey) } : {}),
}));

const began = performance.now();
try {
  const plane = await startDataPlane({
    ...config,
    peers,
    privateKey: SecretKey.parse(config.privateKey),
    log: (level, message) => print(`log ${level} ${message}`),
  });
  let asked = 0;
  process.on('SIGUSR1', async () => {
    asked++;
    print(`stats ${asked} ${JSON.stringify({ ...(await plane.stats()), cpu: process.cpuUsage() })}`);
  });
  process.on('SIGUSR2', () => process.exit(7));
  let closing = began;
  process.on('SIGTERM', () => {
    closing = performance.now();
    void plane.close();
  });
  print(`ready ${JSON.stringify({ listenPort: plane.listenPort, ms: performance.now() - began })}`);
  const reason = await plane.closed;
  print(`ended ${reason ? reason.code : 'closed'} ${Math.round(performance.now() - closing)}`);
  // Not process.exit: nothing of ours may keep the process alive.
  process.exitCode = reason ? 1 : 0;
} catch (error) {
  print(`failed ${JSON.stringify({ code: error.code, message: error.message })}`);
  process.exitCode = 1;
}
