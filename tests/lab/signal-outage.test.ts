import { join } from 'node:path';
import {
  askAgent,
  meshProgram,
  type PlacedAgent,
  SITE_KINDS,
  startPingStream,
  tryPair,
  waitUntil,
} from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { useSiteMesh } from './support/site-mesh.js';

const kind = (name: string) => SITE_KINDS.find((one) => one.name === name)!;
/** The goal is 2 s. */
const BACK_CEILING_MS = 20_000;
const DIRECT_CEILING_MS = 25_000;

describeLab('when signal servers die', [], () => {
  const world = useSiteMesh({ name: 'signal-outage' }, async (mesh) => {
    const bounces = await mesh.joinAll(
      ['bounce1', 'bounce2', 'bounce3'].map((name) => ({ name, at: kind('public'), role: 'bounce' as const })),
    );
    const [symmetric, ...homes] = await mesh.joinAll([
      { name: 'symmetric', at: kind('apd-apd-random') },
      ...[1, 2, 3, 4, 5, 6].map((number) => ({ name: `home${number}`, at: kind('ei-apd') })),
    ]);
    return { bounces, symmetric: symmetric!, homes };
  });

  /** Kills what runs the signal server of that name: a bounce's agent, or else the control plane. */
  async function kill(name: string): Promise<PlacedAgent | 'control'> {
    const { bounces, mesh } = world();
    const bounce = bounces.find(({ agent }) => agent.name === name);
    const { process } = bounce?.agent ?? mesh.control;
    process.kill('SIGKILL');
    await process.waitForExit(5_000);
    return bounce ?? 'control';
  }

  it('new pairs find each other and go direct though the control plane and a home of theirs die together', async () => {
    const { homes, bounces, mesh } = world();
    const [, , , ...fresh] = homes;
    // Best one that is registered at both alone.
    const known = await Promise.all(fresh.map(async (placed) => ({ placed, names: await homesOf(placed) })));
    known.sort(
      (a, b) =>
        Number(b.names.includes('control')) - Number(a.names.includes('control')) || a.names.length - b.names.length,
    );
    const [to, from] = known;
    const home = to!.names.find((name) => bounces.some(({ agent }) => agent.name === name));
    expect(home, `homes: ${to!.names}`).toBeDefined();
    const killed = await Promise.all([kill('control'), kill(home!)]);
    console.log(`homes of ${to!.placed.agent.name}: ${to!.names}; killed: control and ${home}`);
    await expectDirect(from!.placed, to!.placed);
    await mesh.control.restart();
    for (const bounce of killed) if (bounce !== 'control') await bounce.agent.up();
  }, 120_000);

  it('traffic that one of them relays goes by another', async () => {
    const { symmetric, homes, mesh } = world();
    const [home] = homes as [PlacedAgent];
    const stream = startPingStream(symmetric.host, home.agent.ipv4, 10);
    try {
      const relayed = { what: 'relayed', timeoutMs: BACK_CEILING_MS };
      await symmetric.agent.waitForPath(home.agent.name, relayed, ({ kind }) => kind === 'relay');
      const back = await home.agent.waitForPath(symmetric.agent.name, relayed, ({ kind }) => kind === 'relay');
      await stream.waitForAnswers(200, BACK_CEILING_MS);
      // As it is now: it may have gone over to a nearer one.
      const path = await symmetric.agent.pathTo(home.agent.name);
      const before = stream.latest();
      const killed = await kill(path.via!);
      const answeredMs = await stream.waitForAnswers(50, BACK_CEILING_MS);
      const other = { what: 'relayed by another', timeoutMs: BACK_CEILING_MS };
      const now = await symmetric.agent.waitForPath(
        home.agent.name,
        other,
        ({ kind, via }) => kind === 'relay' && via !== path.via,
      );
      await stream.waitForAnswers(100, BACK_CEILING_MS);
      const lost = stream.lostSince(before).length;
      console.log(
        `relay ${path.via} (back by ${back.path.via}) killed: 50 answers after ${answeredMs} ms, ${lost} lost, now ${now.path.via}`,
      );
      expect(lost * 10).toBeLessThan(BACK_CEILING_MS);
      if (killed === 'control') await mesh.control.restart();
      else await killed.agent.up();
    } finally {
      await stream.stop();
    }
  }, 120_000);

  it('new pairs find each other and go direct while the control plane is dead', async () => {
    const { homes } = world();
    await kill('control');
    await expectDirect(homes[1]!, homes[2]!);
  }, 60_000);

  /** Names of the signal servers at which it is registered. */
  async function homesOf({ agent }: PlacedAgent): Promise<string[]> {
    const { network, peers } = await agent.status();
    const request = { method: 'explain', network: network.name, peer: peers[0]!.id };
    const { homes } = await askAgent<{ homes: { local: string[] } }>(agent.host.stateDir, request);
    return homes.local;
  }

  async function expectDirect(from: PlacedAgent, to: PlacedAgent): Promise<void> {
    const outcome = await tryPair(from.agent, to.agent, { atMostMs: DIRECT_CEILING_MS });
    console.log(
      `${outcome.from} → ${outcome.to}: first packet after ${outcome.firstMs} ms, direct after ${outcome.directMs} ms`,
    );
    expect(outcome.paths.map(({ kind }) => kind)).toEqual(['direct', 'direct']);
  }
});

describeLab('a signal server that runs alone', [], () => {
  const world = useSiteMesh({ name: 'signal-alone' }, async (mesh) => {
    const host = await mesh.addHost('region');
    const token = await mesh.control.warrenOutput(['signal', 'token', '--region', 'elsewhere']);
    const args = ['signal', '--token', token, '--public-host', host.ipv4, '--data-dir', join(host.dir, 'signal')];
    const server = host.spawn(meshProgram('warren'), args, { onOutput: (text) => mesh.logs.set('region', text) });
    const [left, right] = await mesh.joinAll(['left', 'right'].map((name) => ({ name, at: kind('ei-apd') })));
    return { server, left: left!, right: right! };
  });

  it('brings pairs together when nothing else is left', async () => {
    const { server, left, right, mesh } = world();
    expect(server.running, server.lastWords()).toBe(true);
    for (const { agent } of [left, right]) {
      await waitUntil(`${agent.name} to be registered there`, { timeoutMs: BACK_CEILING_MS }, async () => {
        const { network, peers } = await agent.look();
        const request = { method: 'explain', network: network.name, peer: peers[0]!.id };
        const { servers } = await askAgent<{ servers: { name: string; registered: boolean }[] }>(
          agent.host.stateDir,
          request,
        );
        return servers.some(({ name, registered }) => name === 'elsewhere' && registered);
      });
    }
    mesh.control.process.kill('SIGKILL');
    await mesh.control.process.waitForExit(5_000);
    const outcome = await tryPair(left.agent, right.agent, { atMostMs: DIRECT_CEILING_MS });
    expect(outcome.paths.map(({ kind }) => kind)).toEqual(['direct', 'direct']);
    console.log(
      `${outcome.from} → ${outcome.to}: first packet after ${outcome.firstMs} ms, direct after ${outcome.directMs} ms`,
    );
    expect((await server.stop()).code).toBe(0);
  });
});
