import {
  expectedPath,
  forgetAll,
  gridWaves,
  joinGrid,
  type PairOutcome,
  SITE_KINDS,
  SiteMesh,
  tryPair,
} from '@warren/netlab';
import type { Comparison } from './benchmark.js';
import { summarize } from './statistics.js';

const GOALS = { first: 1_000, direct: 3_000 };
/** A pair that is direct later has missed the goal, and a relayed one is watched for no longer. */
const WATCH_MS = GOALS.direct;
const PLAIN = { WARREN_PORT_PREDICTION: 'off', WARREN_PORT_MAPPING: 'off' };

type Measured = PairOutcome & { readonly expected: string };

/** How soon two agents that have never talked reach each other, and go direct, by the kinds of their sites. */
export const paths: Comparison = {
  name: 'paths',
  title: 'first ping of two agents that are up → first answer; → direct at both ends; pairs one after the other',
  defaultRuns: 1,
  async compare(rounds, onLine) {
    const mesh = await SiteMesh.start({ name: 'bench-paths', agentEnv: PLAIN });
    try {
      const grid = await joinGrid(mesh);
      const measured: Measured[] = [];
      for (let round = 1; round <= rounds; round++) {
        if (round > 1) await forgetAll(grid);
        for (const [from, to] of gridWaves(grid).flat()) {
          const outcome = await tryPair(from.agent, to.agent, { atMostMs: WATCH_MS, intervalMs: 20 });
          measured.push({ ...outcome, expected: expectedPath(from, to) });
          onLine(`${outcome.from} → ${outcome.to}: ${outcome.firstMs} ms, direct ${outcome.directMs ?? 'not'}`);
        }
      }
      return { table: render(measured), figures: { goals: GOALS, pairs: measured } };
    } finally {
      await mesh.close();
    }
  },
};

function render(measured: readonly Measured[]): string {
  const cells = (name: string, ones: readonly Measured[]): string => {
    const firsts = ones.flatMap(({ firstMs }) => firstMs ?? []);
    const directs = ones.flatMap(({ directMs }) => directMs ?? []);
    const shown = (values: readonly number[]): string => {
      if (values.length === 0) return '-'.padStart(16);
      const { median, max } = summarize(values);
      return `${Math.round(median)} / ${Math.round(max)}`.padStart(16);
    };
    const must = ones.filter(({ expected }) => expected === 'direct');
    const inTime = must.filter(({ directMs }) => directMs !== undefined && directMs <= GOALS.direct).length;
    return `${name.padEnd(20)}${shown(firsts)}${shown(directs)}${`${inTime} of ${must.length}`.padStart(18)}`;
  };
  const late = measured.filter(({ firstMs }) => firstMs === undefined || firstMs > GOALS.first);
  return [
    `${'from'.padEnd(20)}${'first ms'.padStart(16)}${'direct ms'.padStart(16)}${'direct in time'.padStart(18)}   median / most`,
    ...SITE_KINDS.map(({ name }) =>
      cells(
        name,
        measured.filter(({ from }) => from === `a-${name}`),
      ),
    ),
    cells('all', measured),
    `goals: first answer within ${GOALS.first} ms (missed by ${late.length} of ${measured.length}), direct within ${GOALS.direct} ms wherever plain punching can work`,
    'peer: none: no other mesh runs on this machine',
  ].join('\n');
}
