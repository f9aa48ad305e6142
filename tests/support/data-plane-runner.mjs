// Runs one data plane from a JSON file, for tests on the hosts of a lab. Prints a line for each event:
// `ready {…}`, `failed {code, message}`, `log LEVEL …`, `stats N {…}` at SIGUSR1, `ended CODE MS` at SIGTERM or by itself.
// SIGHUP does the next of the configuration's `steps`, `[method, argument]` (`crash`: the worker throws), and prints `step N` or `step N failed CODE`.
// With `uapi: true` it serves the interface's socket. SIGUSR2 calls process.exit while everything runs.
import { readFileSync, writeSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fromBase64, parsePublicKey, SecretKey } from '@warren/base';

// Kept so that the step `crash` can send the data plane's worker nonsense, over which it throws, as over a bug.
const threads = createRequire(import.meta.url)('node:worker_threads');
const workers = [];
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args);
    workers.push(this);
  }
};
syncBuiltinESMExports();
const { serveUapi, startDataPlane } = await import('@warren/dataplane');

const crash = (worker) => {
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.postMessage('nonsense');
  return gone;
};

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// Synchronous, so that nothing is lost at process.exit.
const print = (line) => writeSync(1, `${line}\n`);

// Where programs are looked for, so that a test can take them away.
if (config.path !== undefined) process.env.PATH = config.path;

const peerOf = (peer) => ({
  ...peer,
  publicKey: parsePublicKey(peer.publicKey),
  ...(peer.presharedKey ? { presharedKey: SecretKey.parse(peer.presharedKey) } : {}),
  ...(peer.agent
    ? {
        agent: {
          ...peer.agent,
          relayId: fromBase64(peer.agent.relayId),
          pathKey: fromBase64(peer.agent.pathKey),
        },
      }
    : {}),
});
const signallingOf = ({ ticket, servers, ...rest }) => ({
  ...rest,
  ...(ticket ? { ticket: fromBase64(ticket) } : {}),
  ...(servers ? { servers: servers.map((server) => ({ ...server, key: fromBase64(server.key) })) } : {}),
});
const argumentOf = {
  setAddresses: (addresses) => addresses,
  replacePeers: (peers) => peers.map(peerOf),
  change: ({ set, remove }) => ({ set: set.map(peerOf), remove }),
  initiateHandshake: (peer) => peer,
  stats: () => undefined,
  setSignalling: signallingOf,
};

const began = performance.now();
try {
  const plane = await startDataPlane({
    ...config,
    peers: config.peers.map(peerOf),
    privateKey: SecretKey.parse(config.privateKey),
    ...(config.signalling
      ? {
          signalling: {
            ...config.signalling,
            relayId: fromBase64(config.signalling.relayId),
            pathKey: SecretKey.parse(config.signalling.pathKey),
          },
        }
      : {}),
    log: (level, message) => print(`log ${level} ${message}`),
  });
  const server = config.uapi && (await serveUapi({ interfaceName: plane.interfaceName, device: plane }));
  let asked = 0;
  process.on('SIGUSR1', async () => {
    asked++;
    print(
      `stats ${asked} ${JSON.stringify({
        ...(await plane.stats()),
        paths: await plane.paths(),
        cpu: process.cpuUsage(),
        rss: process.memoryUsage.rss(),
      })}`,
    );
  });
  let step = 0;
  process.on('SIGHUP', async () => {
    const number = ++step;
    const [method, argument] = config.steps[number - 1];
    try {
      if (method === 'crash') await crash(workers.at(-1));
      else await plane[method](argumentOf[method](argument));
      print(`step ${number}`);
    } catch (error) {
      print(`step ${number} failed ${error.code}`);
    }
  });
  process.on('SIGUSR2', () => process.exit(7));
  let closing = began;
  process.on('SIGTERM', () => {
    closing = performance.now();
    void plane.close();
  });
  print(`ready ${JSON.stringify({ listenPort: plane.listenPort, ms: performance.now() - began })}`);
  const reason = await plane.closed;
  await server?.close();
  print(`ended ${reason ? reason.code : 'closed'} ${Math.round(performance.now() - closing)}`);
  // Not process.exit: nothing of ours may keep the process alive.
  process.exitCode = reason ? 1 : 0;
} catch (error) {
  print(`failed ${JSON.stringify({ code: error.code, message: error.message })}`);
  process.exitCode = 1;
}
