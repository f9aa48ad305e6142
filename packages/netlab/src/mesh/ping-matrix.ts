import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../host.js';

/** A member of the network, whatever runs on its host; addresses are those inside the network. */
export interface NetworkMember {
  readonly name: string;
  readonly host: Host;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** One ordered pair of nodes, and whether the first reaches the second by its addresses inside the network. */
export interface PairResult {
  readonly from: string;
  readonly to: string;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** Pings every ordered pair over both IP versions at the same time. */
export async function pingMatrix(agents: readonly NetworkMember[], timeoutMs = 1_000): Promise<PairResult[]> {
  const pairs = agents.flatMap((from) => agents.filter((to) => to !== from).map((to) => ({ from, to })));
  return Promise.all(
    pairs.map(async ({ from, to }) => {
      const [ipv4, ipv6] = await Promise.all([
        from.host.ping(to.ipv4, { timeoutMs }),
        from.host.ping(to.ipv6, { timeoutMs }),
      ]);
      return { from: from.name, to: to.name, ipv4, ipv6 };
    }),
  );
}

export const reached = (pair: PairResult): boolean => pair.ipv4 && pair.ipv6;

/**
 * Pings round after round until all pairs answer in one round, or time is up.
 * @returns the last round: look for pairs that were not `reached`.
 */
export async function pingUntilAllReached(agents: readonly NetworkMember[], timeoutMs: number): Promise<PairResult[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const round = await pingMatrix(agents);
    if (round.every(reached) || Date.now() >= deadline) return round;
    await delay(100);
  }
}
