import { setTimeout as delay } from 'node:timers/promises';
import type { PathsReport } from '@warren/dataplane';

/** How long those who ask for the state wait for agents that were silent, and how often they look meanwhile; milliseconds. */
const ANSWER_TIME = 400;
const ANSWER_POLL = 40;

/** A data plane that may be away. */
export interface Inquired {
  inquire(): Promise<number>;
  paths(): Promise<PathsReport | undefined>;
}

/** Asks agents that were silent lately whether they are there, and gives them a moment to answer. */
export async function inquireOf(plane: Inquired): Promise<void> {
  const asked = await plane.inquire();
  const until = Date.now() + ANSWER_TIME;
  while (asked > 0 && Date.now() < until) {
    await delay(ANSWER_POLL);
    if ((await plane.paths())?.peers.every(({ proven }) => proven) !== false) return;
  }
}
