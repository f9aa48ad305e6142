import type { HostProcess, NetworkMember } from '@warren/netlab';

/** Five requests a second over one pair and IP version, until `lost` is asked for. */
export interface SteadyPing {
  readonly title: string;
  /** Ends it. @returns the requests that were not answered though a later one was, and how many were. */
  stop(): Promise<{ answered: number; lost: number[] }>;
}

/** Both IP versions from the first to the second of each pair. */
export const startSteadyPings = (pairs: readonly (readonly [NetworkMember, NetworkMember])[]): SteadyPing[] =>
  pairs.flatMap(([from, to]) => [steadyPing(from, to, 'ipv4'), steadyPing(from, to, 'ipv6')]);

function steadyPing(from: NetworkMember, to: NetworkMember, family: 'ipv4' | 'ipv6'): SteadyPing {
  const ping: HostProcess = from.host.spawn('ping', ['-n', '-i', '0.2', '-O', to[family]]);
  return {
    title: `${from.name} → ${to.name} (${family})`,
    async stop() {
      ping.kill('SIGINT');
      await ping.waitForExit(5_000);
      const answers = new Set([...ping.stdout.matchAll(/ bytes from .*icmp_seq=(\d+)/g)].map(([, at]) => Number(at)));
      // The last request may still be under way: only what a later answer overtook is lost.
      const last = Math.max(0, ...answers);
      const lost = Array.from({ length: last }, (_, at) => at + 1).filter((at) => !answers.has(at));
      return { answered: answers.size, lost };
    },
  };
}
