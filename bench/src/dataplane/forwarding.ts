import { createWorld, type Host, waitUntil } from '@warren/netlab';
import type { Comparison } from '../benchmark.js';
import { createKey, interfacesGone, MTU, PORT } from './dataplane.js';
import { type Figures, measure } from './measure.js';
import { subjects } from './subjects.js';
import { type Row, renderFigures } from './table.js';
import type { Subject, TunnelConfig, TunnelEnd, TunnelPeer } from './tunnel.js';

const SECONDS = 3;
const READY_TIMEOUT_MS = 20_000;
const INNER = { a: '10.200.0.1', bounce: '10.200.0.254', b: '10.200.0.2' } as const;
const EVERYBODY = '10.200.0.0/24';

type Name = keyof typeof INNER;
type Hosts = Readonly<Record<Name, Host>>;

/** From one member through a bounce, where each packet comes in by the interface and leaves by it, to another. */
export const forwarding: Comparison = {
  name: 'forwarding',
  title: 'throughput, packet rate, latency and CPU of a bounce between two members',
  defaultRuns: 3,
  async compare(rounds, onLine) {
    const world = await createWorld({ name: 'bench-forwarding' });
    try {
      const hosts: Hosts = {
        a: await world.addHost({ name: 'a' }),
        bounce: await world.addHost({ name: 'bounce' }),
        b: await world.addHost({ name: 'b' }),
      };
      await hosts.bounce.run('sysctl', ['-w', 'net.ipv4.ip_forward=1']);
      const all = subjects(process.env).filter(({ isTunnel }) => isTunnel);
      const rows = all.map((subject) => ({ subject: subject.name, peers: 2, rounds: [] as Figures[] }) satisfies Row);
      for (let round = 1; round <= rounds; round++) {
        for (const [at, subject] of all.entries()) {
          onLine(`round ${round} of ${rounds}: ${subject.name}`);
          rows[at]!.rounds.push(await measureThrough(hosts, subject));
        }
      }
      const units =
        'all three hosts run the same program; CPU and RSS are the bounce’s alone; otherwise as in dataplane';
      return { table: `${renderFigures(rows, all[0]!.name)}\n${units}`, figures: rows };
    } finally {
      await world.close();
    }
  },
};

async function measureThrough(hosts: Hosts, subject: Subject): Promise<Figures> {
  const configs = createConfigs(hosts);
  const ends: TunnelEnd[] = [];
  try {
    for (const name of ['a', 'bounce', 'b'] as const) ends.push(await subject.start(hosts[name], configs[name]));
    await waitUntil(`${subject.name} to answer through the bounce`, { timeoutMs: READY_TIMEOUT_MS }, () =>
      hosts.a.ping(INNER.b),
    );
    const noProcess: TunnelEnd = { pids: [], stop: async () => undefined };
    return await measure(
      { a: { host: hosts.a, tunnel: ends[1]! }, b: { host: hosts.b, tunnel: noProcess }, address: INNER.b },
      SECONDS,
    );
  } finally {
    for (const end of ends) await end.stop();
    await interfacesGone(Object.values(hosts));
  }
}

function createConfigs(hosts: Hosts): Readonly<Record<Name, TunnelConfig>> {
  const keys = { a: createKey(), bounce: createKey(), b: createKey() };
  const peer = (name: Name, allowedIp: string): TunnelPeer => ({
    publicKey: keys[name].publicKey,
    allowedIps: [allowedIp],
    endpoint: `${hosts[name].ipv4}:${PORT}`,
  });
  const config = (name: Name, peers: readonly TunnelPeer[]): TunnelConfig => ({
    interfaceName: 'wg0',
    privateKey: keys[name].privateKey,
    listenPort: PORT,
    mtu: MTU,
    address: `${INNER[name]}/32`,
    peers,
  });
  return {
    a: config('a', [peer('bounce', EVERYBODY)]),
    bounce: config('bounce', [peer('a', `${INNER.a}/32`), peer('b', `${INNER.b}/32`)]),
    b: config('b', [peer('bounce', EVERYBODY)]),
  };
}
