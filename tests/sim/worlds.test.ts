import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import { Costs, explain, playStory, StoryError } from './support/story.js';

const SOAK = process.env.WARREN_SOAK !== undefined;
/** In a soak the first seed; otherwise the only one: what a failure has printed. */
const SEED = process.env.WARREN_SEED === undefined ? undefined : Number(process.env.WARREN_SEED);
const WORLDS = Number(process.env.WARREN_WORLDS ?? (SOAK ? 10_000 : SEED === undefined ? 200 : 1));
const FIRST = SEED ?? 1;
const STEPS = 8;
/** Failures that are told from beginning to end. */
const TOLD = 3;
const TIMEOUT = SOAK ? 36_000_000 : 600_000;

/** Worlds that went wrong once, by what was wrong in them. */
const FOUND: readonly (readonly [what: string, seed: number])[] = [
  ['find a LAN path again under a carrier that blocks UDP, when the host itself lets it through again', 499],
  ['open another stream when nobody answers in the one they have, as a server that began anew has forgotten it', 982],
  ['stay for a while where they were at home, for what is still under way to them', 2026],
  ['stay for a while where they were at home, when a server nearer to the top is reached again', 3988],
  ['tell peers with a direct path too where they are at home, which counts after a silence', 2043],
  ['tell peers with a direct path too where they are at home, when a path has been found lately', 2207],
  ['tell new addresses even when the answer to a former question comes before they could', 1276],
  ['may find a path that no punch would, where they keep their public address', 1439],
  ['are not moved to another port when the inner one of two NATs began anew', 2665],
  ['are not moved to another port by packets to another port of theirs, as they meet', 892],
  [
    'are not moved to another port by packets to another port of theirs, as they meet, the sender behind two NATs',
    1262,
  ],
  [
    'are not moved to another port by packets to another port of theirs, as they meet, with neighbours on both sides',
    2307,
  ],
  ['are not moved to another port when one of them begins to talk to a third', 3487],
  ['are not moved to another port when one of them begins to talk to a third, after a NAT began anew', 3496],
  ['are not moved to another port when a third one roams', 1067],
  ['are not moved to another port after a partition', 2880],
  ['are not moved to another port when UDP is let through', 3347],
];

beforeAll(() => boxesReady);

/** @returns the first line of each failure. */
function play(seeds: Iterable<number>, predictPorts: boolean): string[] {
  const costs = new Costs();
  const failures: string[] = [];
  for (const seed of seeds) {
    try {
      playStory(seed, STEPS, { predictPorts }, costs);
    } catch (error) {
      if (!(error instanceof StoryError)) throw error;
      if (failures.length < TOLD) console.log(explain(seed, STEPS, { predictPorts }, error));
      failures.push(error.message.split('\n')[0]!);
    }
  }
  console.log(costs.lines().join('\n'));
  return failures;
}

function* seeds(): Generator<number> {
  for (let seed = FIRST; seed < FIRST + WORLDS; seed++) yield seed;
}

describe('worlds of two to six agents behind all kinds of NATs', () => {
  it('are direct if and only if it is possible, and lose nothing but in an outage', { timeout: TIMEOUT }, () => {
    expect(play(seeds(), false)).toEqual([]);
  });

  it.each(FOUND)('%s (seed %i)', (_what, seed) => {
    expect(play([seed], false)).toEqual([]);
  });
});
