import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { formatHostPort } from '@warren/base';
import type { Host } from '@warren/netlab';
import { createKeyPair, type KeyPair } from './wireguard-keys.js';
import type { WireGuardConfig } from './wireguard-node.js';

const TRANSFER = fileURLToPath(new URL('./transfer.mjs', import.meta.url));

export interface PairOptions {
  /** The side that knows the other's endpoint, and so begins; the responder learns the initiator's from its packets. */
  readonly initiator: Host;
  readonly responder: Host;
  /** Family of the addresses outside. */
  readonly outer: 4 | 6;
  /** Base64. */
  readonly presharedKey?: string;
  /** Tells pairs apart; 0 to 255. */
  readonly number?: number;
}

/** Two interfaces that are each other's only peer. */
export interface Pair {
  readonly initiator: WireGuardConfig;
  readonly responder: WireGuardConfig;
  readonly keys: { readonly initiator: KeyPair; readonly responder: KeyPair };
  /** Inside addresses. */
  readonly inner: Readonly<Record<'initiator' | 'responder', Readonly<Record<4 | 6, string>>>>;
}

export const LISTEN_PORT = 51_820;

export function createPair({ responder, outer, presharedKey, number = 0 }: PairOptions): Pair {
  const keys = { initiator: createKeyPair(), responder: createKeyPair() };
  const address = (host: number) => ({ 4: `10.77.${number}.${host}`, 6: `fd77:${(number + 1).toString(16)}::${host}` });
  const inner = { initiator: address(1), responder: address(2) };
  const common = { interfaceName: 'wg0', listenPort: LISTEN_PORT, mtu: 1420 };
  const prefixes = (side: keyof typeof inner) => [`${inner[side][4]}/32`, `${inner[side][6]}/128`];
  const shared = presharedKey === undefined ? {} : { presharedKey };
  const outside = outer === 4 ? responder.ipv4 : responder.ipv6!;
  return {
    keys,
    inner,
    initiator: {
      ...common,
      privateKey: keys.initiator.privateKey,
      addresses: prefixes('initiator'),
      peers: [
        {
          publicKey: keys.responder.publicKey,
          allowedIps: prefixes('responder'),
          endpoint: formatHostPort(outside, LISTEN_PORT),
          ...shared,
        },
      ],
    },
    responder: {
      ...common,
      privateKey: keys.responder.privateKey,
      addresses: prefixes('responder'),
      peers: [{ publicKey: keys.initiator.publicKey, allowedIps: prefixes('initiator'), ...shared }],
    },
  };
}

/** What ping's summary says. */
export interface PingResult {
  readonly sent: number;
  readonly received: number;
}

/** Sends `count` echo requests with `intervalMs` between them. */
export async function pingStream(from: Host, to: string, count: number, intervalMs = 200): Promise<PingResult> {
  const args = ['-n', '-q', '-c', String(count), '-i', String(intervalMs / 1_000), '-W', '2', to];
  const { stdout, stderr } = await from.run('ping', args, { timeoutMs: count * intervalMs + 30_000 });
  const match = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  if (!match) throw new Error(`ping said nothing of use: ${stdout}${stderr}`);
  return { sent: Number(match[1]), received: Number(match[2]) };
}

/** Sends so many MiB over TCP; both ends say what they saw. */
export async function transfer(from: Host, to: Host, address: string, megabytes: number) {
  const port = String(randomInt(20_000, 30_000));
  const server = to.spawn(process.execPath, [TRANSFER, 'server', address, port]);
  await server.waitForOutput(/^listening$/m, 10_000);
  const client = from.spawn(process.execPath, [TRANSFER, 'client', address, port, String(megabytes)]);
  const [, sentBytes, sentHash, ms] = await client.waitForOutput(/^sent (\d+) ([0-9a-f]{64}) (\d+)$/m, 120_000);
  const [, receivedBytes, receivedHash] = await server.waitForOutput(/^received (\d+) ([0-9a-f]{64})$/m, 10_000);
  return {
    sent: { bytes: Number(sentBytes), sha256: sentHash! },
    received: { bytes: Number(receivedBytes), sha256: receivedHash! },
    ms: Number(ms),
  };
}
