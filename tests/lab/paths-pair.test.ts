import { addSite, createWorld, type Host, SITE_KINDS, type Site, type World } from '@warren/netlab';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { pingStream, transfer } from '../support/pair.js';
import { type LabAgent, SignalNetwork } from '../support/signal-network.js';
import { WarrenNode } from '../support/warren-node.js';
import { waitFor } from '../support/wireguard-node.js';

const kindOf = (name: (typeof SITE_KINDS)[number]['name']) => SITE_KINDS.find((kind) => kind.name === name)!;

for (const packetPath of ['plain', 'offload'] as const) {
  describeLab(
    `two data planes that find their way by a signal server, packets ${packetPath}`,
    ['openssl', 'wg'],
    () => {
      let world: World;
      let network: SignalNetwork;
      const sites: Site[] = [];
      let elsewhere: Site;
      const hosts: Host[] = [];

      beforeAll(async () => {
        process.env.WARREN_DATAPLANE = packetPath;
        world = await createWorld({ name: `paths-${packetPath}` });
        network = await SignalNetwork.create(world.dir);
        await network.addServer('home', await world.addHost({ name: 'server' }));
        for (const [name, kind] of [
          ['a', 'ei-apd'],
          ['b', 'ei-apd'],
          ['c', 'apd-apd-random'],
        ] as const) {
          const site = await addSite(world, { name, kind: kindOf(kind), lan: `192.168.${sites.length + 1}.0/24` });
          sites.push(site);
          hosts.push(await world.addHost({ name: `${name}-host`, on: site.segment }));
        }
        elsewhere = await addSite(world, { name: 'd', kind: kindOf('ei-ad'), lan: '10.9.0.0/24' });
      });
      afterAll(async () => {
        delete process.env.WARREN_DATAPLANE;
        await world?.close();
      });
      afterEach(async () => {
        for (const host of hosts) await host.stopProcesses(5_000);
      });

      /** Starts an agent on each of the hosts, each other's only peers, and tells them of the server. */
      async function start(first: Host, second: Host, steps: [string, unknown][] = []) {
        const agents = [network.createAgent('first'), network.createAgent('second')] as const;
        const run = (host: Host, agent: LabAgent, other: LabAgent) =>
          WarrenNode.start(
            host,
            { ...agent.config, peers: [other.peer] },
            { steps: [['setSignalling', network.signalling(agent)], ...steps], uapi: true },
          );
        const nodes = await Promise.all([run(first, agents[0], agents[1]), run(second, agents[1], agents[0])]);
        await Promise.all(nodes.map((node) => node.nextStep()));
        return { nodes, agents, inner: agents[1].address };
      }

      const pathOf = async (node: WarrenNode) => {
        const { path } = (await node.stats()).paths.peers[0]!;
        return path?.kind === 'relay' ? `relay ${path.transport}` : path?.endpoint;
      };
      const direct = (nodes: readonly WarrenNode[], timeoutMs = 10_000) =>
        waitFor(
          'a direct path of both',
          async () => (await Promise.all(nodes.map(pathOf))).every((path) => path && !path.startsWith('relay')),
          timeoutMs,
        );
      const relayed = (nodes: readonly WarrenNode[], transport: 'udp' | 'tls', timeoutMs = 10_000) =>
        waitFor(
          `a relay over ${transport}`,
          async () => (await Promise.all(nodes.map(pathOf))).every((path) => path === `relay ${transport}`),
          timeoutMs,
        );
      const handshakes = (node: WarrenNode) => node.process.stdout.match(/handshake with .* completed/g)?.length ?? 0;

      it('begin on the relay and go over to the direct path, in one session, without losing a packet', async () => {
        const [a, b] = [hosts[0]!, hosts[1]!];
        const { nodes, inner } = await start(a, b);
        const { sent, received } = await pingStream(a, inner, 400, 10);
        expect(sent - received).toBe(0);
        await direct(nodes);
        for (const [i, node] of nodes.entries()) {
          const { stdout } = node.process;
          expect(stdout).toMatch(/goes by the relay home \(udp\)[\s\S]*goes straight to 203\.0\.113\./);
          expect(handshakes(node)).toBe(1);
          const other = sites[1 - i]!.routers[0]!.outside.ipv4;
          expect((await node.stats()).peers[0]!.endpoint).toMatch(new RegExp(`^${other.replaceAll('.', '\\.')}:`));
        }
        const sums = await transfer(a, b, inner, 16);
        expect(sums.received).toEqual(sums.sent);
        await Promise.all(nodes.map((node) => node.stop()));
      });

      it('stay on the relay where no direct path can be, and lose nothing there', async () => {
        const [a, c] = [hosts[0]!, hosts[2]!];
        const { nodes, inner } = await start(a, c);
        expect(await pingStream(a, inner, 50, 50)).toEqual({ sent: 50, received: 50 });
        const sums = await transfer(a, c, inner, 16);
        expect(sums.received).toEqual(sums.sent);
        await relayed(nodes, 'udp');
        for (const node of nodes) {
          expect((await node.stats()).peers[0]!.endpoint).toBeUndefined();
          const shown = await node.host.run('wg', ['show', 'wg0', 'endpoints']);
          expect(shown.stdout.trim()).toMatch(/\(none\)$/);
          expect(handshakes(node)).toBe(1);
        }
        await Promise.all(nodes.map((node) => node.stop()));
      });

      it('use a stream where UDP is blocked, and leave it when it is not any more', async () => {
        const [a, b] = [hosts[0]!, hosts[1]!];
        const router = sites[0]!.routers[0]!;
        await router.setFirewall('tls-443-only');
        const { nodes, inner } = await start(a, b);
        await waitFor('a ping', () => a.ping(inner), 10_000);
        expect(await pathOf(nodes[0]!)).toBe('relay tls');
        const sums = await transfer(a, b, inner, 8);
        expect(sums.received).toEqual(sums.sent);
        const before = handshakes(nodes[0]!);
        const stream = pingStream(a, inner, 300, 20);
        await router.setFirewall('open');
        await direct(nodes, 40_000);
        const { sent, received } = await stream;
        // What was on its way through the stream when the session moved to UDP.
        expect(sent - received).toBeLessThanOrEqual(5);
        expect(handshakes(nodes[0]!)).toBe(before);
        await Promise.all(nodes.map((node) => node.stop()));
      });

      it('find another path when one of them moves to another network, in the same session', async () => {
        const [a, b] = [hosts[0]!, hosts[1]!];
        const { nodes, inner } = await start(a, b);
        await waitFor('a ping', () => a.ping(inner));
        await direct(nodes);
        const before = handshakes(nodes[0]!);
        await a.moveTo(elsewhere.segment);
        const began = performance.now();
        await waitFor('a ping from the other network', () => a.ping(inner), 20_000);
        console.log(`${packetPath}: reached again ${Math.round(performance.now() - began)} ms after it moved`);
        const { ipv4 } = elsewhere.routers[0]!.outside;
        await waitFor(
          'the direct path',
          async () => (await pathOf(nodes[1]!))?.startsWith(`${ipv4}:`) === true,
          20_000,
        );
        expect(handshakes(nodes[0]!)).toBe(before);
        await a.moveTo(sites[0]!.segment);
        await waitFor('a ping from the former network', () => a.ping(inner), 20_000);
        await Promise.all(nodes.map((node) => node.stop()));
      });

      it('know their servers, tickets and peers again when the worker crashes', async () => {
        const [a, b] = [hosts[0]!, hosts[1]!];
        const { nodes, inner } = await start(a, b, [['crash', null]]);
        await waitFor('a ping', () => a.ping(inner));
        await direct(nodes);
        await nodes[1]!.nextStep();
        await waitFor('another worker', async () => nodes[1]!.process.stdout.includes('a new worker has taken over'));
        await waitFor('a ping', () => a.ping(inner), 20_000);
        await direct(nodes, 30_000);
        await Promise.all(nodes.map((node) => node.stop()));
      });
    },
  );
}
