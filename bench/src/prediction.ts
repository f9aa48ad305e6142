import { type PairOutcome, SITE_KINDS, SiteMesh, tryPair } from '@warren/netlab';
import type { Comparison } from './benchmark.js';

const TRY_MS = 15_000;
const GOAL = 0.9;
const SIDES = ['apd-apd-random', 'apd-apd-sequential'] as const;

/** Guessing the port of a NAT that gives each flow one of its own, towards a NAT that lets in only who was spoken to. */
export const prediction: Comparison = {
  name: 'prediction',
  title: `address-and-port-dependent mapping × ei-apd → direct within ${TRY_MS / 1_000} s, fresh agents and routers each time`,
  defaultRuns: 10,
  async compare(rounds, onLine) {
    const mesh = await SiteMesh.start({ name: 'bench-prediction', agentEnv: { WARREN_PORT_MAPPING: 'off' } });
    try {
      const tries: (PairOutcome & { readonly kind: string })[] = [];
      for (let round = 1; round <= rounds; round++) {
        for (const kind of SIDES) {
          const outcome = await tryOnce(mesh, kind, round);
          tries.push({ ...outcome, kind });
          onLine(`${kind} ${round}: direct ${outcome.directMs === undefined ? 'not' : `after ${outcome.directMs} ms`}`);
        }
      }
      return {
        table: SIDES.map((kind) =>
          render(
            kind,
            tries.filter((one) => one.kind === kind),
          ),
        ).join('\n'),
        figures: { tries },
      };
    } finally {
      await mesh.close();
    }
  },
};

async function tryOnce(mesh: SiteMesh, kind: string, round: number): Promise<PairOutcome> {
  const at = (name: string) => SITE_KINDS.find((one) => one.name === name)!;
  const [from, to] = await mesh.joinAll([
    { name: `${kind}-${round}`, at: at(kind) },
    { name: `${kind}-${round}-home`, at: at('ei-apd') },
  ]);
  try {
    return await tryPair(from!.agent, to!.agent, { atMostMs: TRY_MS });
  } finally {
    await Promise.all([from!.agent.process.stop(), to!.agent.process.stop()]);
  }
}

function render(kind: string, tries: readonly PairOutcome[]): string {
  const direct = tries.flatMap(({ directMs }) => directMs ?? []).sort((a, b) => a - b);
  const share = direct.length / tries.length;
  const times = direct.map((ms) => (ms / 1_000).toFixed(1)).join(' ');
  return `${kind.padEnd(20)}${direct.length} of ${tries.length} direct (goal ${GOAL * 100} %: ${share >= GOAL ? 'met' : 'missed'}); seconds: ${times}`;
}
