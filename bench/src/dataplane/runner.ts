// Runs our data plane from a JSON file (a TunnelConfig) until SIGTERM; prints `ready` when it is up.
import { readFileSync } from 'node:fs';
import { parseHostPort, parsePrefix, SecretKey } from '@warren/base';
import { startDataPlane } from '@warren/dataplane';
import type { TunnelConfig } from './tunnel.js';

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as TunnelConfig;
const plane = await startDataPlane({
  interfaceName: config.interfaceName,
  privateKey: SecretKey.parse(config.privateKey)!,
  listenPort: config.listenPort,
  mtu: config.mtu,
  addresses: [config.address],
  peers: config.peers.map(({ publicKey, allowedIps, endpoint }) => ({
    publicKey,
    allowedIps: allowedIps.map((prefix) => parsePrefix(prefix)!),
    ...(endpoint !== undefined && parseHostPort(endpoint) && { endpoint: endpoint as never }),
  })),
  log: (level, message) => {
    if (level !== 'debug') console.log(message);
  },
});
const { crypto, path } = await plane.stats();
console.log(`ready ${crypto} ${path}`);
process.on('SIGTERM', () => void plane.close());
await plane.closed;
