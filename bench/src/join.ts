import { AgentNode, ControlPlane, createWorld, HOME_NAT, type World, waitUntil } from '@warren/netlab';
import type { Benchmark, Run } from './benchmark.js';
import { PingStream } from './ping-stream.js';

const PING_MS = 20;
const JOIN_TIMEOUT_MS = 30_000;

/** How long a person waits who joins a fresh host. */
export const join: Benchmark = {
  name: 'join',
  title: '`agent join` started on a fresh host behind a NAT → first answered ping of the bounce',
  goal: { column: 'joined', below: 2_000, unit: 'ms' },
  peer: 'none: no other mesh with a control plane runs on this machine',
  defaultRuns: 10,
  async measure(runs, onRun) {
    const world = await createWorld({ name: 'bench-join' });
    try {
      const control = await ControlPlane.start(await world.addHost({ name: 'control' }));
      const token = await control.createToken(['--uses', String(runs + 1)]);
      const server = await world.addHost({ name: 'bounce' });
      const bounce = await AgentNode.join(server, { name: 'bounce', role: 'bounce', token });
      const results: Run[] = [];
      for (let number = 1; number <= runs; number++) {
        const run = await measureOne(world, token, bounce.ipv4, number);
        results.push(run);
        onRun(run);
      }
      return results;
    } finally {
      await world.close();
    }
  },
};

async function measureOne(world: World, token: string, bounce: string, number: number): Promise<Run> {
  const router = await world.addRouter({ name: `nat${number}`, nat: HOME_NAT, lan: '192.168.1.0/24' });
  const host = await world.addHost({ name: `host${number}`, on: router });
  const pings = new PingStream(host, bounce, PING_MS);
  const began = Date.now();
  const agent = AgentNode.begin(host, { name: `host${number}`, token, role: 'client' });
  const answered = await waitUntil(
    'the first answer of the bounce',
    { timeoutMs: JOIN_TIMEOUT_MS },
    () => pings.firstAnswerAt,
  );
  await pings.stop();
  await agent.process.stop();
  return { joined: Math.round(answered - began) };
}
