import { fileURLToPath } from 'node:url';
import { WarrenError } from '@warren/base';
import { createWorld, type Host, type HostProcess } from '@warren/netlab';
import type { Comparison } from '../benchmark.js';
import { cpuSeconds } from '../dataplane/tunnel.js';
import { median } from '../statistics.js';
import { type LoadOptions, type LoadResult, type Protocol, RELAY_PORT } from './relay-load.js';

const RELAY_SERVER = fileURLToPath(new URL('./relay-server.js', import.meta.url));
const LOAD = fileURLToPath(new URL('./load.js', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const SECONDS = 3;
/** A just-in-time compiler settles; both get it. */
const WARM_UP_MS = 1_500;
const RECEIVER_PORT = 4_000;

/** `batch` 1: each datagram by itself, as a phone sends; else as our data plane does, which the network card or GRO keeps together. */
const LOADS: readonly Load[] = [
  { size: 1_400, batch: 1 },
  { size: 1_400, batch: 40 },
  { size: 64, batch: 1 },
  { size: 64, batch: 40 },
];

interface Load {
  readonly size: number;
  readonly batch: number;
}

interface Subject {
  readonly name: string;
  readonly protocol: Protocol;
  start(host: Host): Promise<HostProcess>;
}

interface Figures {
  readonly gbitPerSecond: number;
  readonly kiloPacketsPerSecond: number;
  readonly cpuSecondsPerGbit: number;
  readonly kiloPacketsPerCpuSecond: number;
}

interface Row extends Load {
  readonly subject: string;
  readonly rounds: Figures[];
}

/** One sender, one relay, one receiver, on three hosts of this machine, in alternating rounds. */
export const relay: Comparison = {
  name: 'relay',
  title: 'throughput and CPU of the signal server’s relay beside coturn, from one host through a second to a third',
  defaultRuns: 3,
  async compare(rounds, onLine) {
    const world = await createWorld({ name: 'bench-relay' });
    try {
      const [a, r, b] = [
        await world.addHost({ name: 'a' }),
        await world.addHost({ name: 'r' }),
        await world.addHost({ name: 'b' }),
      ];
      const subjects = await installed(r);
      const rows: Row[] = LOADS.flatMap((load) => subjects.map(({ name }) => ({ ...load, subject: name, rounds: [] })));
      for (let round = 1; round <= rounds; round++) {
        for (const row of rows) {
          onLine(`round ${round} of ${rounds}: ${row.subject}, ${nameOf(row)}`);
          const subject = subjects.find(({ name }) => name === row.subject)!;
          row.rounds.push(await measure({ a, r, b }, subject, row));
        }
      }
      const missing = subjects.includes(COTURN)
        ? ''
        : '\ncoturn is not installed (Debian: coturn): nothing to compare with';
      return { table: render(rows) + missing, figures: rows };
    } finally {
      await world.close();
    }
  },
};

const WARREN: Subject = {
  name: 'warren',
  protocol: 'warren',
  async start(host) {
    const options = process.env.WARREN_BENCH_PROFILE
      ? ['--cpu-prof', `--cpu-prof-dir=${process.env.WARREN_BENCH_PROFILE}`]
      : [];
    const running = host.spawn(process.execPath, [...options, RELAY_SERVER]);
    await running.waitForOutput(/^ready /m, START_TIMEOUT_MS);
    return running;
  },
};

/** Without credentials, TLS and command port: what its data path costs. */
const COTURN: Subject = {
  name: 'coturn',
  protocol: 'turn',
  async start(host) {
    const running = host.spawn('turnserver', [
      ...[
        '-n',
        '--no-auth',
        '--no-tls',
        '--no-dtls',
        '--no-cli',
        '--log-file=stdout',
        `--pidfile=${host.dir}/turn.pid`,
      ],
      ...[`--listening-ip=${host.ipv4}`, `--relay-ip=${host.ipv4}`, `--listening-port=${RELAY_PORT}`],
    ]);
    await running.waitForOutput(
      /Total General servers|IPv4\. UDP listener opened|Total auth threads/i,
      START_TIMEOUT_MS,
    );
    return running;
  },
};

async function installed(host: Host): Promise<Subject[]> {
  const { code } = await host.run('which', ['turnserver']);
  return code === 0 ? [WARREN, COTURN] : [WARREN];
}

async function measure({ a, r, b }: Record<'a' | 'r' | 'b', Host>, subject: Subject, load: Load): Promise<Figures> {
  const relayProcess = await subject.start(r);
  const started: HostProcess[] = [relayProcess];
  const start = (host: Host, role: LoadOptions['role']): HostProcess => {
    const options: LoadOptions = {
      role,
      protocol: subject.protocol,
      relay: r.ipv4,
      receiver: { address: b.ipv4, port: RECEIVER_PORT },
      size: load.size,
      batch: load.batch,
      warmUpMs: WARM_UP_MS,
      seconds: SECONDS,
    };
    // More than any relay takes: the two others have to have their share of a small machine.
    const nice = role === 'sender' ? 5 : 0;
    const running = host.spawn('nice', ['-n', String(nice), process.execPath, LOAD, JSON.stringify(options)]);
    started.push(running);
    return running;
  };
  try {
    const receiver = start(b, 'receiver');
    await receiver.waitForOutput(/^listening/m, START_TIMEOUT_MS);
    const sender = start(a, 'sender');
    await sender.waitForOutput(/^sending/m, START_TIMEOUT_MS);
    await receiver.waitForOutput(/^counting/m, START_TIMEOUT_MS);
    const before = cpuSeconds([relayProcess.pid]);
    const [, json] = await receiver.waitForOutput(/^result (.*)$/m, START_TIMEOUT_MS);
    const cpu = cpuSeconds([relayProcess.pid]) - before;
    const { datagrams, bytes, seconds } = JSON.parse(json!) as LoadResult;
    if (datagrams === 0)
      throw new WarrenError('bench-failed', `${subject.name} relayed nothing: ${relayProcess.lastWords()}`);
    const gbit = (bytes * 8) / 1e9;
    return {
      gbitPerSecond: gbit / seconds,
      kiloPacketsPerSecond: datagrams / seconds / 1_000,
      cpuSecondsPerGbit: cpu / gbit,
      kiloPacketsPerCpuSecond: datagrams / 1_000 / cpu,
    };
  } finally {
    for (const running of started.reverse()) await running.stop();
  }
}

const COLUMNS: readonly { readonly key: keyof Figures; readonly title: string; readonly digits: number }[] = [
  { key: 'gbitPerSecond', title: 'Gbit/s', digits: 2 },
  { key: 'kiloPacketsPerSecond', title: 'kpps', digits: 0 },
  { key: 'cpuSecondsPerGbit', title: 'CPU-s/Gbit', digits: 3 },
  { key: 'kiloPacketsPerCpuSecond', title: 'kp/CPU-s', digits: 0 },
];

function render(rows: readonly Row[]): string {
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(36) + cells.map((cell) => cell.padStart(12)).join('');
  const middle = (row: Row, key: keyof Figures): number => median(row.rounds.map((figures) => figures[key]));
  const lines = rows.map((row) =>
    line(
      `${row.subject}, ${nameOf(row)}`,
      COLUMNS.map(({ key, digits }) => middle(row, key).toFixed(digits)),
    ),
  );
  const ratios = rows.flatMap((own) => {
    const other = rows.find((row) => row.subject === COTURN.name && row.size === own.size && row.batch === own.batch);
    if (!other || own === other) return [];
    return [
      line(
        `warren / coturn, ${nameOf(own)}`,
        COLUMNS.map(({ key }) => (middle(own, key) / middle(other, key)).toFixed(2)),
      ),
    ];
  });
  return [
    line(
      'median of rounds',
      COLUMNS.map(({ title }) => title),
    ),
    ...lines,
    'ratios',
    ...ratios,
  ].join('\n');
}

const nameOf = ({ size, batch }: Load): string => `${size} B${batch > 1 ? `, sent ${batch} at a time` : ''}`;
