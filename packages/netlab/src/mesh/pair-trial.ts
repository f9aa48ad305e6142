import { setTimeout as delay } from 'node:timers/promises';
import { WarrenError } from '@warren/base';
import type { AgentNode, AgentPath } from './agent-node.js';
import { startPingStream } from './ping-stream.js';

/** What came of two agents that had not talked before. */
export interface PairOutcome {
  readonly from: string;
  readonly to: string;
  /** Milliseconds until the first answer; undefined when there was none. */
  readonly firstMs: number | undefined;
  /** Milliseconds until both ends sent direct; undefined when they did not. */
  readonly directMs: number | undefined;
  /** As both ends see it in the end. */
  readonly paths: readonly [AgentPath, AgentPath];
  /** Requests that were not answered although a later one was. */
  readonly lost: number;
}

export interface PairTrialOptions {
  /** Ends the trial when both are direct. */
  readonly atMostMs: number;
  readonly intervalMs?: number;
}

/** Lets the first ping the second, and watches by which path. */
export async function tryPair(from: AgentNode, to: AgentNode, options: PairTrialOptions): Promise<PairOutcome> {
  const started = Date.now();
  const stream = startPingStream(from.host, to.ipv4, options.intervalMs ?? 50);
  const paths = (): Promise<[AgentPath, AgentPath]> => Promise.all([from.pathTo(to.name), to.pathTo(from.name)]);
  let seen = await patiently(paths, started + options.atMostMs);
  let directMs: number | undefined;
  for (;;) {
    if (seen.every(({ kind }) => kind === 'direct')) directMs = Date.now() - started;
    if (Date.now() >= started + options.atMostMs || (directMs !== undefined && stream.latest() > 0)) break;
    await delay(100);
    directMs = undefined;
    seen = await patiently(paths, started + options.atMostMs);
  }
  const { firstMs, lost } = await stream.stop();
  return { from: from.name, to: to.name, firstMs, directMs, paths: seen, lost: lost.length };
}

/** A node that has just joined is not known to all others yet. */
async function patiently<T>(look: () => Promise<T>, until: number): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof WarrenError && error.code === 'no-peer') || Date.now() >= until) throw error;
      await delay(50);
    }
  }
}
