import {
  expectedPath,
  forgetAll,
  gridWaves,
  joinGrid,
  type PairOutcome,
  type PlacedAgent,
  SITE_KINDS,
  tryPair,
} from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { printTable } from '../support/table.js';
import { SOAK } from './support/classic-mesh.js';
import { useSiteMesh } from './support/site-mesh.js';

const ROUNDS = SOAK ? 10 : 1;
/** The goals are 1 s and 3 s on an idle machine (`npm run bench -- paths`). */
const FIRST_CEILING_MS = 10_000;
const DIRECT_CEILING_MS = 15_000;
/** How long a pair that cannot be crossed is watched: what is not direct by the goal stays relayed. */
const RELAY_WATCH_MS = 3_500;

interface Tried extends PairOutcome {
  readonly expected: ReturnType<typeof expectedPath>;
}

describeLab('every kind of site with every other, in both orders', ['conntrack'], () => {
  const world = useSiteMesh({ name: 'nat-grid' }, joinGrid, 300_000);

  for (let round = 1; round <= ROUNDS; round++) {
    it(
      `the first packet comes through, and the path is the one that the rule names (round ${round} of ${ROUNDS})`,
      async () => {
        const grid = world();
        if (round > 1) await forgetAll(grid);
        const outcomes: Tried[] = [];
        for (const wave of gridWaves(grid)) outcomes.push(...(await Promise.all(wave.map(tryOne))));
        print(outcomes);
        expect(outcomes.flatMap(complaints)).toEqual([]);
      },
      SITE_KINDS.length * 30_000,
    );
  }
});

async function tryOne([from, to]: readonly [PlacedAgent, PlacedAgent]): Promise<Tried> {
  const expected = expectedPath(from, to);
  const atMostMs = expected === 'direct' ? DIRECT_CEILING_MS : RELAY_WATCH_MS;
  return { ...(await tryPair(from.agent, to.agent, { atMostMs })), expected };
}

function complaints({ from, to, firstMs, paths, expected }: Tried): string[] {
  const pair = `${from} → ${to}`;
  const said: string[] = [];
  if (firstMs === undefined || firstMs > FIRST_CEILING_MS) said.push(`${pair}: first packet after ${firstMs} ms`);
  for (const { kind, reason } of paths) {
    const fine = expected === 'either' ? ['direct', 'relay'].includes(kind) : kind === expected;
    if (!fine) said.push(`${pair}: ${kind} instead of ${expected} (${reason})`);
  }
  return said;
}

/** Each cell: first packet in milliseconds, then when it was direct in seconds, or how it goes else. */
function print(outcomes: readonly Tried[]): void {
  const cell = (from: string, to: string): string => {
    const { firstMs, directMs, paths } = outcomes.find((one) => one.from === `a-${from}` && one.to === `b-${to}`)!;
    const then = directMs === undefined ? paths[0].kind : (directMs / 1_000).toFixed(1);
    return `${firstMs === undefined ? '-' : Math.round(firstMs)}/${then}`;
  };
  const names = SITE_KINDS.map(({ name }) => name);
  printTable([['first ms/direct s', ...names], ...names.map((from) => [from, ...names.map((to) => cell(from, to))])]);
  const directs = outcomes.flatMap(({ directMs }) => directMs ?? []);
  const firsts = outcomes.map(({ firstMs }) => firstMs ?? Number.POSITIVE_INFINITY);
  console.log(`first packet: ${figures(firsts)} ms; direct: ${figures(directs)} ms, ${directs.length} pairs`);
}

function figures(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
  return `median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`;
}
