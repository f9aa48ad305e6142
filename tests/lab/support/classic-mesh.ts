import {
  type AgentNode,
  CLASSIC_NODES,
  type ClassicMesh,
  type ClassicName,
  createClassicSite,
  type NetworkMember,
  type PairResult,
  pingUntilAllReached,
  reached,
  startClassicMesh,
} from '@warren/netlab';
import { afterAll, beforeAll, expect, onTestFailed } from 'vitest';

export interface LabMesh extends ClassicMesh {
  /** In the order of their addresses. */
  readonly all: readonly AgentNode[];
  /** All that a program has printed so far; `control` or a node's name. */
  readonly logs: ReadonlyMap<string, string>;
}

export interface LabMeshOptions {
  readonly logLevel?: string;
  /** Environment of the control plane; `dir` is the world's directory. */
  readonly controlEnv?: (dir: string) => Readonly<Record<string, string>>;
}

/**
 * The classic mesh, running, for all tests of the surrounding group. Its value is there from the first test on.
 */
export function useClassicMesh(options: LabMeshOptions = {}): () => LabMesh {
  let mesh: LabMesh | undefined;
  let close = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const site = await createClassicSite({ name: 'classic' });
    close = () => site.world.close();
    const logs = new Map<string, string>();
    const keep = (name: string) => (text: string) => logs.set(name, (logs.get(name) ?? '') + text);
    const level = options.logLevel === undefined ? {} : { logLevel: options.logLevel };
    const started = await startClassicMesh(site, {
      control: { onOutput: keep('control'), env: options.controlEnv?.(site.world.dir) ?? {}, ...level },
      agent: (name) => ({ onOutput: keep(name), ...(options.logLevel ? { env: { WARREN_LOG_LEVEL: 'debug' } } : {}) }),
    });
    mesh = { ...started, logs, all: CLASSIC_NODES.map(({ name }) => started.agents[name]) };
  });
  afterAll(() => close());
  return () => {
    if (!mesh) throw new Error('the mesh is there in tests only, not while they are being defined');
    const { logs } = mesh;
    onTestFailed(() => {
      for (const [name, text] of logs) console.error(`--- ${name}\n${text.slice(-3_000)}`);
    });
    return mesh;
  };
}

/** Waits until every pair answers over both IP versions. */
export async function expectAllReached(agents: readonly NetworkMember[], timeoutMs = 20_000): Promise<void> {
  const round = await pingUntilAllReached(agents, timeoutMs);
  expect(unreached(round)).toEqual([]);
}

/** `from → to` of each pair that does not answer. */
export const unreached = (round: readonly PairResult[]): string[] =>
  round.filter((pair) => !reached(pair)).map(({ from, to, ipv4, ipv6 }) => `${from} → ${to} (${ipv4}, ${ipv6})`);

export const without = (agents: readonly AgentNode[], ...names: ClassicName[]): AgentNode[] =>
  agents.filter(({ name }) => !names.some((left) => left === name));

/** Long forms of the tests (`npm run soak`). */
export const SOAK = process.env.WARREN_SOAK === '1';
