import { randomBytes } from 'node:crypto';
import { type PublicKey, publicKeyFromBytes, toBase64 } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { createWorld, type Host, waitUntil } from '@warren/netlab';
import type { Comparison } from '../benchmark.js';
import { type Figures, measure } from './measure.js';
import { subjects } from './subjects.js';
import { type Row, renderFigures } from './table.js';
import type { Subject, TunnelConfig, TunnelEnd } from './tunnel.js';

const PEER_COUNTS = [1, 100] as const;
const SECONDS = 3;
export const PORT = 51_820;
export const MTU = 1420;
const INNER = { a: '10.200.0.1', b: '10.200.0.2' } as const;
const READY_TIMEOUT_MS = 20_000;

/** Userspace WireGuards between two hosts of this machine, in alternating rounds: only ratios mean something elsewhere. */
export const dataplane: Comparison = {
  name: 'dataplane',
  title: 'throughput, packet rate, latency under load, CPU and memory of tunnels between two namespaces',
  defaultRuns: 3,
  async compare(rounds, onLine) {
    const world = await createWorld({ name: 'bench-dataplane' });
    try {
      const hosts = { a: await world.addHost({ name: 'a' }), b: await world.addHost({ name: 'b' }) };
      const all = subjects(process.env);
      const cases = all.flatMap((subject) =>
        (subject.isTunnel ? PEER_COUNTS : [1]).map((peers) => ({ subject, peers })),
      );
      const found = new Map<string, Figures[]>(cases.map((one) => [keyOf(one), []]));
      for (let round = 1; round <= rounds; round++) {
        for (const one of cases) {
          onLine(`round ${round} of ${rounds}: ${one.subject.name}, ${one.peers} peer(s)`);
          found.get(keyOf(one))!.push(await measureCase(hosts, one.subject, one.peers));
        }
      }
      const rows: Row[] = cases.map((one) => ({
        subject: one.subject.name,
        peers: one.peers,
        rounds: found.get(keyOf(one))!,
      }));
      const units =
        'TCP in Gbit/s; CPU of the tunnel’s processes, both ends in Gbit/CPU-s; ping in ms during one TCP stream';
      return { table: `${renderFigures(rows, all[0]!.name)}\n${units}`, figures: rows };
    } finally {
      await world.close();
    }
  },
};

interface Case {
  readonly subject: Subject;
  readonly peers: number;
}

const keyOf = ({ subject, peers }: Case): string => `${subject.name} ${peers}`;

/** Starts both ends, measures, and leaves nothing of them. */
export async function measureCase(hosts: { a: Host; b: Host }, subject: Subject, peers: number): Promise<Figures> {
  const configs = createConfigs(hosts, peers);
  const started: TunnelEnd[] = [];
  try {
    const start = async (host: Host, config: TunnelConfig): Promise<TunnelEnd> => {
      const end = await subject.start(host, config);
      started.push(end);
      return end;
    };
    const [a, b] = [await start(hosts.a, configs.a), await start(hosts.b, configs.b)];
    const address = subject.isTunnel ? INNER.b : hosts.b.ipv4;
    await waitUntil(`${subject.name} to answer`, { timeoutMs: READY_TIMEOUT_MS }, () => hosts.a.ping(address));
    return await measure({ a: { host: hosts.a, tunnel: a }, b: { host: hosts.b, tunnel: b }, address }, SECONDS);
  } finally {
    for (const end of started) await end.stop();
    await interfacesGone([hosts.a, hosts.b]);
  }
}

/** A tunnel takes its interface down after its process was told to stop. */
export async function interfacesGone(hosts: readonly Host[]): Promise<void> {
  await waitUntil('the interfaces to go', { timeoutMs: READY_TIMEOUT_MS }, async () =>
    (await Promise.all(hosts.map((host) => host.interfaces()))).every((names) => !names.includes('wg0')),
  );
}

/** Two ends that know each other, and `peers - 1` that nobody is. */
function createConfigs({ a, b }: { a: Host; b: Host }, peers: number): { a: TunnelConfig; b: TunnelConfig } {
  const keys = { a: createKey(), b: createKey() };
  const others = Array.from({ length: peers - 1 }, (_, i) => ({
    publicKey: publicKeyFromBytes(Uint8Array.from(randomBytes(32))),
    allowedIps: [`10.201.${i >> 8}.${i & 255}/32`],
  }));
  const config = (own: 'a' | 'b', other: 'a' | 'b', outer: string): TunnelConfig => ({
    interfaceName: 'wg0',
    privateKey: keys[own].privateKey,
    listenPort: PORT,
    mtu: MTU,
    address: `${INNER[own]}/32`,
    peers: [
      ...others,
      { publicKey: keys[other].publicKey, allowedIps: [`${INNER[other]}/32`], endpoint: `${outer}:${PORT}` },
    ],
  });
  return { a: config('a', 'b', b.ipv4), b: config('b', 'a', a.ipv4) };
}

export function createKey(): { privateKey: string; publicKey: PublicKey } {
  const privateKey = Uint8Array.from(randomBytes(32));
  return { privateKey: toBase64(privateKey), publicKey: publicKeyFromBytes(nobleProvider.publicKey(privateKey)) };
}
