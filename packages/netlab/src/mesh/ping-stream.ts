import type { Host } from '../host.js';
import { waitUntil } from '../wait-until.js';

/** What became of a stream's requests. Numbers begin with 1; one is lost when a later one was answered and it was not. */
export interface PingStreamResult {
  readonly answered: number;
  readonly lost: readonly number[];
  /** Milliseconds from the first request to the first answer; undefined when nothing was answered. */
  readonly firstMs: number | undefined;
}

/** Echo requests at a steady pace, from one host to an address, until they are stopped. */
export interface PingStream {
  /** The highest number answered so far; 0 before the first. */
  latest(): number;
  /** Waits until the `count`-th next answer. @throws WarrenError `timeout`. @returns milliseconds that it took. */
  waitForAnswers(count: number, timeoutMs: number): Promise<number>;
  /** Numbers lost after `from` and up to the highest that was answered. */
  lostSince(from: number): number[];
  stop(): Promise<PingStreamResult>;
}

export function startPingStream(from: Host, address: string, intervalMs: number): PingStream {
  const ping = from.spawn('ping', ['-n', '-i', String(intervalMs / 1_000), address]);
  const answers = (): Map<number, number> =>
    new Map(
      [...ping.stdout.matchAll(/icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms/g)].map(([, number, time]) => [
        Number(number),
        (Number(number) - 1) * intervalMs + Number(time),
      ]),
    );
  const latest = (seen = answers()): number => [...seen.keys()].reduce((a, b) => Math.max(a, b), 0);
  const lostSince = (start: number, seen = answers()): number[] => {
    const last = latest(seen);
    return Array.from({ length: Math.max(0, last - start) }, (_, index) => start + index + 1).filter(
      (number) => !seen.has(number),
    );
  };
  return {
    latest: () => latest(),
    lostSince: (start) => lostSince(start),
    async waitForAnswers(count, timeoutMs) {
      const started = Date.now();
      const now = answers().size;
      const what = `${count} answers of ${address}`;
      await waitUntil(what, { timeoutMs, intervalMs: 10 }, () => answers().size >= now + count);
      return Date.now() - started;
    },
    async stop() {
      ping.kill('SIGINT');
      await ping.waitForExit(5_000);
      const seen = answers();
      const times = [...seen.values()];
      const firstMs = times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
      return { answered: seen.size, lost: lostSince(0, seen), firstMs };
    },
  };
}
