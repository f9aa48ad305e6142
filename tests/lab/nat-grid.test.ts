import {
  type JoinOptions,
  type PairOutcome,
  type PlacedAgent,
  SITE_KINDS,
  type SiteKind,
  tryPair,
} from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { printTable } from '../support/table.js';
import { SOAK } from './support/classic-mesh.js';
import { crossable } from './support/crossable.js';
import { useSiteMesh } from './support/site-mesh.js';

const ROUNDS = SOAK ? 10 : 1;
/** The goals are 1 s and 3 s on an idle machine (`npm run bench -- paths`). */
const FIRST_CEILING_MS = 10_000;
const DIRECT_CEILING_MS = 15_000;
/** How long a pair that cannot be crossed is watched: what is not direct by the goal stays relayed. */
const RELAY_WATCH_MS = 3_500;
/** Pairs that try at the same time, of a wave in which everybody is in one pair. */
const WAVES = SITE_KINDS.length;

type Sided = PlacedAgent & { readonly kind: SiteKind };

/**
 * Each kind is there twice, `a-…` and `b-…`: so the pairs from left to right are all ordered pairs of kinds, each between
 * two agents that have not talked before.
 */
describeLab('every kind of site with every other, in both orders', [], () => {
  const world = useSiteMesh(
    { name: 'nat-grid' },
    async (mesh) => {
      const left = await mesh.joinAll(SITE_KINDS.map((kind): JoinOptions => ({ name: `a-${kind.name}`, at: kind })));
      const right = await mesh.joinAll(
        SITE_KINDS.map((kind, index): JoinOptions => {
          const carrier = left[index]!.site.routers[1];
          return { name: `b-${kind.name}`, at: kind, ...(carrier ? { customerOf: carrier } : {}) };
        }),
      );
      return { left: left.map(sided), right: right.map(sided) };
    },
    300_000,
  );

  for (let round = 1; round <= ROUNDS; round++) {
    it(
      `the first packet comes through, and the path is the one that the rule names (round ${round} of ${ROUNDS})`,
      async () => {
        const { left, right } = world();
        if (round > 1) await startAgain([...left, ...right]);
        const outcomes: Tried[] = [];
        for (let wave = 0; wave < WAVES; wave++) {
          const pairs = left.map((from, index) => ({ from, to: right[(index + wave) % right.length]! }));
          outcomes.push(...(await Promise.all(pairs.map(tryOne))));
        }
        print(outcomes);
        expect(outcomes.flatMap(complaints)).toEqual([]);
      },
      WAVES * 30_000,
    );
  }
});

interface Tried extends PairOutcome {
  readonly expected: 'direct' | 'relay' | 'either';
  readonly kinds: readonly [SiteKind, SiteKind];
}

async function tryOne({ from, to }: { from: Sided; to: Sided }): Promise<Tried> {
  const expected = expectation(from, to);
  const atMostMs = expected === 'direct' ? DIRECT_CEILING_MS : RELAY_WATCH_MS;
  return { ...(await tryPair(from.agent, to.agent, { atMostMs })), expected, kinds: [from.kind, to.kind] };
}

function expectation(from: Sided, to: Sided): Tried['expected'] {
  if (from.kind.race || to.kind.race) return crossable(from.kind, to.kind) ? 'either' : 'relay';
  // Customers of one carrier have the same outer address: they meet only if it sends them back in.
  if (from.site.routers[1] && from.site.routers[1] === to.site.routers[1]) {
    return from.kind.name === 'carrier-hairpin' ? 'direct' : 'relay';
  }
  return crossable(from.kind, to.kind) ? 'direct' : 'relay';
}

function complaints({ from, to, firstMs, paths, expected }: Tried): string[] {
  const pair = `${from} → ${to}`;
  const said: string[] = [];
  if (firstMs === undefined || firstMs > FIRST_CEILING_MS) said.push(`${pair}: first packet after ${firstMs} ms`);
  for (const path of paths) {
    const fine = expected === 'either' ? ['direct', 'relay'].includes(path.kind) : path.kind === expected;
    if (!fine) said.push(`${pair}: ${path.kind} instead of ${expected} (${path.reason})`);
  }
  return said;
}

/** Each cell: first packet in milliseconds, then when it was direct, or that it is relayed. */
function print(outcomes: readonly Tried[]): void {
  const cell = (from: SiteKind, to: SiteKind): string => {
    const found = outcomes.find(({ kinds }) => kinds[0] === from && kinds[1] === to)!;
    const then = found.directMs === undefined ? found.paths[0].kind : (found.directMs / 1_000).toFixed(1);
    return `${found.firstMs === undefined ? '-' : Math.round(found.firstMs)}/${then}`;
  };
  const rows = SITE_KINDS.map((from) => [from.name, ...SITE_KINDS.map((to) => cell(from, to))]);
  printTable([['first ms/direct s', ...SITE_KINDS.map(({ name }) => name)], ...rows]);
  const firsts = outcomes.map(({ firstMs }) => firstMs ?? Number.POSITIVE_INFINITY);
  const directs = outcomes.flatMap(({ directMs }) => directMs ?? []);
  console.log(`first packet: ${figures(firsts)} ms; direct: ${figures(directs)} ms, ${directs.length} pairs`);
}

function figures(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return `median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`;
}

/** Nobody knows anybody any more: routers and agents have forgotten. */
async function startAgain(all: readonly Sided[]): Promise<void> {
  await Promise.all(all.map(({ agent }) => agent.process.stop()));
  await Promise.all([...new Set(all.flatMap(({ site }) => site.routers))].map((router) => router.reboot()));
  for (const { agent } of all) await agent.up();
}

const sided = (placed: PlacedAgent): Sided => ({ ...placed, kind: placed.site.kind });
