import { readFileSync } from 'node:fs';
import type { PublicKey } from '@warren/base';
import type { Host } from '@warren/netlab';

/** One end of a tunnel between two hosts, with as many configured peers as the case says. */
export interface TunnelConfig {
  readonly interfaceName: string;
  /** Base64. */
  readonly privateKey: string;
  readonly listenPort: number;
  readonly mtu: number;
  /** Of the interface, with prefix length. */
  readonly address: string;
  readonly peers: readonly TunnelPeer[];
}

export interface TunnelPeer {
  readonly publicKey: PublicKey;
  readonly allowedIps: readonly string[];
  readonly endpoint?: string;
}

/** A running end. */
export interface TunnelEnd {
  /** Its processes; none: the kernel does it. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** What is measured. */
export interface Subject {
  readonly name: string;
  /** Whether there is a tunnel; without one the hosts' own addresses are measured. */
  readonly isTunnel: boolean;
  start(host: Host, config: TunnelConfig): Promise<TunnelEnd>;
}

/** Clock ticks a second of /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** User and system time of the processes so far. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // The name in brackets may hold anything; fields count from behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}

export function residentMegabytes(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}
