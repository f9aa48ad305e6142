import { WarrenError } from '@warren/base';
import type { Host } from '@warren/netlab';
import { quantile } from '../statistics.js';
import { cpuSeconds, residentMegabytes, type TunnelEnd } from './tunnel.js';

/** Two ends of one subject, ready to carry traffic. */
export interface Ends {
  readonly a: { readonly host: Host; readonly tunnel: TunnelEnd };
  readonly b: { readonly host: Host; readonly tunnel: TunnelEnd };
  /** Where `a` reaches `b`. */
  readonly address: string;
}

/** What one round found of one subject. CPU figures are NaN where the kernel does the work. */
export interface Figures {
  readonly tcp: number;
  readonly tcpReverse: number;
  readonly tcp8: number;
  readonly gbitPerCpuSecond: number;
  readonly senderCpuPerGbit: number;
  readonly receiverCpuPerGbit: number;
  readonly udp64: number;
  readonly udp64PerCpuSecond: number;
  readonly udp1400: number;
  readonly pingP50: number;
  readonly pingP99: number;
  readonly rss: number;
}

const PORT = 5201;
const PING_INTERVAL_MS = 10;
/** A just-in-time compiler, ARP and TCP's memory of the path settle; every subject gets it. */
const WARM_UP_SECONDS = 2;

interface Iperf {
  readonly gigabits: number;
  readonly seconds: number;
  /** Packets received, of UDP. */
  readonly packets: number;
}

/** All measurements of one round, one after the other, `seconds` each. */
export async function measure(ends: Ends, seconds: number): Promise<Figures> {
  const server = ends.b.host.spawn('iperf3', ['-s', '-p', String(PORT), '--forceflush']);
  try {
    await server.waitForOutput(/listening/i, 10_000);
    await iperf(ends, WARM_UP_SECONDS, []);
    const [tcp, sender, receiver] = await withCpu(ends, () => iperf(ends, seconds, []));
    const tcpReverse = await iperf(ends, seconds, ['-R']);
    const tcp8 = await iperf(ends, seconds, ['-P', '8']);
    const [udp64, ...cpu64] = await withCpu(ends, () => iperf(ends, seconds, ['-u', '-b', '0', '-l', '64']));
    const udp1400 = await iperf(ends, seconds, ['-u', '-b', '0', '-l', '1372']);
    const [, pings] = await Promise.all([iperf(ends, seconds, []), ping(ends, seconds)]);
    const hasProcess = ends.a.tunnel.pids.length > 0;
    const perGbit = (cpu: number): number => (hasProcess ? cpu / tcp.gigabits : Number.NaN);
    return {
      tcp: tcp.gigabits / tcp.seconds,
      tcpReverse: tcpReverse.gigabits / tcpReverse.seconds,
      tcp8: tcp8.gigabits / tcp8.seconds,
      gbitPerCpuSecond: hasProcess ? tcp.gigabits / (sender + receiver) : Number.NaN,
      senderCpuPerGbit: perGbit(sender),
      receiverCpuPerGbit: perGbit(receiver),
      udp64: udp64.packets / udp64.seconds / 1000,
      udp64PerCpuSecond: hasProcess ? udp64.packets / 1000 / (cpu64[0] + cpu64[1]) : Number.NaN,
      udp1400: udp1400.packets / udp1400.seconds / 1000,
      pingP50: quantile(pings, 0.5),
      pingP99: quantile(pings, 0.99),
      rss: hasProcess
        ? Math.max(residentMegabytes(ends.a.tunnel.pids), residentMegabytes(ends.b.tunnel.pids))
        : Number.NaN,
    };
  } finally {
    await server.stop();
  }
}

/** The result, and the CPU seconds that both ends spent meanwhile. */
async function withCpu({ a, b }: Ends, action: () => Promise<Iperf>): Promise<readonly [Iperf, number, number]> {
  const before = [cpuSeconds(a.tunnel.pids), cpuSeconds(b.tunnel.pids)] as const;
  const result = await action();
  return [result, cpuSeconds(a.tunnel.pids) - before[0], cpuSeconds(b.tunnel.pids) - before[1]];
}

async function iperf({ a, address }: Ends, seconds: number, options: readonly string[]): Promise<Iperf> {
  const args = ['-c', address, '-p', String(PORT), '-t', String(seconds), '-J', ...options];
  const { stdout, stderr } = await a.host.run('iperf3', args, { timeoutMs: (seconds + 20) * 1000 });
  const report = parseReport(stdout, stderr);
  const isUdp = options.includes('-u');
  const sum = isUdp ? report.end.sum : report.end.sum_received;
  if (!sum) throw new WarrenError('bench-failed', `iperf3 ${args.join(' ')}: ${report.error ?? 'no result'}`);
  const packets = (sum.packets ?? 0) - (sum.lost_packets ?? 0);
  return { gigabits: (sum.bytes * 8) / 1e9, seconds: sum.seconds, packets };
}

interface IperfReport {
  readonly error?: string;
  readonly end: { readonly sum?: IperfSum; readonly sum_received?: IperfSum };
}

interface IperfSum {
  readonly bytes: number;
  readonly seconds: number;
  readonly packets?: number;
  readonly lost_packets?: number;
}

function parseReport(stdout: string, stderr: string): IperfReport {
  try {
    return JSON.parse(stdout) as IperfReport;
  } catch (error) {
    throw new WarrenError('bench-failed', `iperf3 did not report: ${stderr.trim() || stdout.slice(0, 200)}`, {
      cause: error,
    });
  }
}

/** Round-trip times in milliseconds. */
async function ping({ a, address }: Ends, seconds: number): Promise<number[]> {
  const args = ['-n', '-i', String(PING_INTERVAL_MS / 1000), '-w', String(seconds), address];
  const { stdout } = await a.host.run('ping', args, { timeoutMs: (seconds + 10) * 1000 });
  const times = Array.from(stdout.matchAll(/ time=([\d.]+) ms/g), ([, time]) => Number(time));
  if (times.length === 0) throw new WarrenError('bench-failed', `no answer of ${address} to ping under load`);
  return times;
}
