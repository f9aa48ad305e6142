import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import { Costs, playStory } from './support/story.js';

const SOAK = process.env.WARREN_SOAK !== undefined;
const FIRST = SOAK ? Number(process.env.WARREN_SEED ?? 1) : 1;
const WORLDS = SOAK ? 10_000 : 200;
const STEPS = 8;

beforeAll(() => boxesReady);

describe('worlds of agents behind all kinds of NATs, by seed', () => {
  it(`${WORLDS} worlds: direct if and only if it is possible, and nothing is lost but in an outage`, {
    timeout: SOAK ? 36_000_000 : 600_000,
  }, () => {
    const costs = new Costs();
    const failures: string[] = [];
    for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
      try {
        playStory(seed, STEPS, { predictPorts: false }, costs);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
    console.log(costs.lines().join('\n'));
    expect(failures.map((text) => text.split('\n')[0])).toEqual([]);
  });
});
