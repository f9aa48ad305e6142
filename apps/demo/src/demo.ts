import { setTimeout as delay } from 'node:timers/promises';
import {
  CLASSIC_NODES,
  type ClassicMesh,
  createClassicSite,
  type PairResult,
  pingMatrix,
  reached,
  startClassicMesh,
} from '@warren/netlab';
import type { DemoConfig } from './config.js';
import { renderMatrix, renderOutcome, type ShownPair } from './matrix.js';
import { Screen } from './screen.js';

/** After the last host has joined; several times what it takes. */
const FORMING_MS = 60_000;
const ROUND_MS = 1_000;
const NAMES = CLASSIC_NODES.map(({ name }) => name);

/**
 * Builds the classic example, shows it until `stop` is aborted (or once), and removes it.
 * @returns the exit code: 0, or 1 when once was asked for and not every pair answered.
 */
export async function runDemo(config: DemoConfig, stop: AbortSignal): Promise<number> {
  const screen = new Screen(config.json ? process.stderr : process.stdout);
  // We end by ourselves at a signal, so that Ctrl-C is a way to end well.
  const site = await createClassicSite({ name: 'demo', handleSignals: false });
  const interrupted = new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const forming = startClassicMesh(site, { onStep: (step) => stop.aborted || screen.line(step) });
    // When it is interrupted, the closing world pulls the ground from under it: that failure is none.
    const mesh = await Promise.race([forming, interrupted.then(() => undefined)]);
    if (mesh === undefined) {
      forming.catch(() => undefined);
      return interruptedCode(config);
    }
    return await watch(mesh, config, screen, stop);
  } finally {
    if (stop.aborted) screen.line('taking everything down');
    await site.world.close();
  }
}

async function watch(mesh: ClassicMesh, config: DemoConfig, screen: Screen, stop: AbortSignal): Promise<number> {
  const agents = NAMES.map((name) => mesh.agents[name]);
  const deadline = Date.now() + FORMING_MS;
  let pairs: ShownPair[] = [];
  while (!stop.aborted) {
    const round = await pingMatrix(agents);
    const complete = round.every(reached);
    if (stop.aborted) break;
    pairs = await withPaths(mesh, round);
    if (stop.aborted) break;
    screen.show(`${renderMatrix(NAMES, pairs)}\n\n${renderOutcome(round)}`);
    if (config.once && (complete || Date.now() > deadline)) {
      if (config.json) process.stdout.write(`${JSON.stringify({ complete, pairs }, undefined, 2)}\n`);
      return complete ? 0 : 1;
    }
    await delay(ROUND_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return interruptedCode(config);
}

/** Whoever asked for one round has not got it; otherwise Ctrl-C is the ordinary end. */
const interruptedCode = (config: DemoConfig): number => (config.once ? 1 : 0);

/** Asks each agent which way it sends. An agent that does not answer shows no paths. */
async function withPaths(mesh: ClassicMesh, round: readonly PairResult[]): Promise<ShownPair[]> {
  const paths = new Map<string, string>();
  await Promise.all(
    NAMES.map(async (name) => {
      const status = await mesh.agents[name].status().catch(() => undefined);
      for (const peer of status?.peers ?? []) {
        if (peer.path.kind !== 'none') paths.set(`${name} ${peer.name}`, peer.path.kind);
      }
    }),
  );
  return round.map((pair) => {
    const path = paths.get(`${pair.from} ${pair.to}`);
    return path === undefined ? pair : { ...pair, path };
  });
}
