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

  it('find a LAN path again under a carrier that blocks UDP, when the host itself lets it through again', () => {
    expect(play([499], false)).toEqual([]);
  });
});
