import {
  AgentNode,
  CLASSIC_NODES,
  type ClassicMesh,
  createClassicSite,
  HOME_NAT,
  pingUntilAllReached,
  startClassicMesh,
  waitUntil,
} from '@warren/netlab';
import type { Benchmark, Run } from './benchmark.js';
import { PingStream } from './ping-stream.js';

const PING_MS = 20;
const REACHED_TIMEOUT_MS = 20_000;
/** Nobody has had an answer for this long: the node is cut off. */
const SILENCE_MS = 1_500;
const SILENCE_TIMEOUT_MS = 30_000;

/** How long a stolen laptop stays in the network after the operator has pressed enter. */
export const revoke: Benchmark = {
  name: 'revoke',
  title: '`warren node revoke` started → last answer that any other node had from the revoked one',
  goal: { column: 'unreachable', below: 1_000, unit: 'ms' },
  peer: 'none: no other mesh with a control plane runs on this machine',
  defaultRuns: 10,
  async measure(runs, onRun) {
    const site = await createClassicSite({ name: 'bench-revoke' });
    try {
      const mesh = await startClassicMesh(site);
      const token = await mesh.control.createToken(['--uses', String(runs)]);
      const results: Run[] = [];
      for (let number = 1; number <= runs; number++) {
        const run = await measureOne(mesh, token, `stolen${number}`);
        results.push(run);
        onRun(run);
      }
      return results;
    } finally {
      await site.world.close();
    }
  },
};

async function measureOne(mesh: ClassicMesh, token: string, name: string): Promise<Run> {
  const { world } = mesh.site;
  const router = await world.addRouter({ name: `${name}-nat`, nat: HOME_NAT, lan: '192.168.1.0/24' });
  const stolen = await AgentNode.join(await world.addHost({ name, on: router }), { name, token, role: 'client' });
  const others = CLASSIC_NODES.map((node) => mesh.agents[node.name]);
  await pingUntilAllReached([stolen, ...others], REACHED_TIMEOUT_MS);
  const pings = others.map(({ host }) => new PingStream(host, stolen.ipv4, PING_MS));
  const all = (): boolean => pings.every(({ lastAnswerAt }) => lastAnswerAt !== undefined);
  await waitUntil(`answers of ${name} to all others`, { timeoutMs: REACHED_TIMEOUT_MS }, all);
  const began = Date.now();
  await mesh.control.warrenOutput(['node', 'revoke', name]);
  const returned = Date.now();
  const lastAnswer = (): number => Math.max(...pings.map(({ lastAnswerAt }) => lastAnswerAt ?? 0));
  const silent = (): boolean => Date.now() - Math.max(lastAnswer(), returned) > SILENCE_MS;
  await waitUntil(`${name} to be unreachable`, { timeoutMs: SILENCE_TIMEOUT_MS }, silent);
  await Promise.all(pings.map((ping) => ping.stop()));
  await stolen.process.stop();
  return { unreachable: Math.max(0, Math.round(lastAnswer() - began)), command: returned - began };
}
