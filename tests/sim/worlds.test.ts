import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import { Costs, explain, playStory, StoryError } from './support/story.js';

const SOAK = process.env.WARREN_SOAK !== undefined;
/** In a soak the first seed; otherwise the only one. */
const SEED = process.env.WARREN_SEED === undefined ? undefined : Number(process.env.WARREN_SEED);
const FIRST = SEED ?? 1;
const WORLDS = SOAK ? 10_000 : SEED === undefined ? 200 : 1;
const STEPS = 8;
const OPTIONS = { predictPorts: false };
const MAX_SHOWN = Number(process.env.WARREN_SHOWN ?? 3);

beforeAll(() => boxesReady);

describe('worlds of agents behind all kinds of NATs', () => {
  it('direct if and only if it is possible, and nothing is lost but in an outage', { timeout: 36_000_000 }, () => {
    const costs = new Costs();
    const failures: string[] = [];
    for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
      try {
        playStory(seed, STEPS, OPTIONS, costs);
      } catch (error) {
        if (!(error instanceof StoryError)) throw error;
        failures.push(failures.length < MAX_SHOWN ? explain(seed, STEPS, OPTIONS, error) : error.message);
      }
    }
    console.log(costs.lines().join('\n'));
    for (const failure of failures.slice(0, MAX_SHOWN)) console.log(failure);
    expect(failures.map((text) => text.split('\n')[0])).toEqual([]);
  });
});
