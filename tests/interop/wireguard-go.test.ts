import { createWorld, HOME_NAT, type Host, type NatKind, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, type Pair, pingStream, transfer } from '../support/pair.js';
import { printTable } from '../support/table.js';
import { WarrenNode } from '../support/warren-node.js';
import { WireGuardGoNode } from '../support/wireguard-go-node.js';
import { createPresharedKey } from '../support/wireguard-keys.js';
import type { WireGuardNode } from '../support/wireguard-node.js';

const MEGABYTES = 8;
/** REKEY_AFTER_TIME is 120 s (WireGuard paper §6.1): a stream of this length sees one rekey, and no more. */
const REKEY_STREAM_MS = 135_000;
const PING_INTERVAL_MS = 200;
/** The change of keys itself loses nothing; a busy machine may. */
const MAX_LOST = 3;

interface Case {
  readonly initiator: 'warren' | 'wireguard-go';
  readonly presharedKey: boolean;
  readonly outer: 4 | 6;
}

/** Spread over the cases, so that each role, family and kind of handshake has both. */
const packetsOf = ({ presharedKey, outer }: Case): 'plain' | 'offload' =>
  presharedKey === (outer === 4) ? 'plain' : 'offload';

const CASES: readonly Case[] = (['warren', 'wireguard-go'] as const).flatMap((initiator) =>
  [false, true].flatMap((presharedKey) => ([4, 6] as const).map((outer) => ({ initiator, presharedKey, outer }))),
);

interface Cell {
  readonly test: Case;
  readonly pair: Pair;
  readonly initiator: WireGuardNode;
  readonly responder: WireGuardNode;
}

const nameOf = (test: Case): string =>
  `${test.initiator} initiates, ${test.presharedKey ? 'with' : 'without'} preshared key, IPv${test.outer} outside, packets ${packetsOf(test)}`;

/** RFC 4787 REQ-5 asks for two minutes; many home routers do with half a minute. */
const NAT_TIMEOUT_S = 30;
const SHORT_NAT: NatKind = { ...HOME_NAT, timeoutS: NAT_TIMEOUT_S };
/** Silence after which a mapping without keepalives must be gone. */
const SILENCE_MS = 65_000;

interface NatCell {
  readonly name: string;
  readonly keepalive: number | undefined;
  readonly pair: Pair;
  readonly inside: Host;
  readonly server: Host;
  readonly quietSince: number;
}

describeLab('our data plane and wireguard-go', ['wireguard-go', 'wg'], () => {
  let world: World;
  const cells: Cell[] = [];
  let natCells: NatCell[] = [];
  const results = new Map<string, string[]>();
  const note = (test: Case, result: string): void => {
    results.set(nameOf(test), [...(results.get(nameOf(test)) ?? []), result]);
  };

  beforeAll(async () => {
    world = await createWorld({ name: 'interop' });
    for (const [number, test] of CASES.entries()) cells.push(await startCell(world, number, test));
    natCells = await Promise.all(NAT_CASES.map((test, number) => startNatCell(world, number, test)));
  });
  afterAll(async () => {
    printTable([...results].map(([name, cell]) => [name, ...cell]));
    await world?.close();
  });

  for (const [number, test] of CASES.entries()) {
    it(`exchange traffic: ${nameOf(test)}`, async () => {
      const { pair, initiator, responder } = cells[number]!;
      // The responder knows no endpoint: nothing can come from it before the initiator's handshake.
      expect(await initiator.lastHandshake()).toBe(0);
      expect(await pingStream(initiator.host, pair.inner.responder[4], 5)).toEqual({ sent: 5, received: 5 });
      expect(await pingStream(responder.host, pair.inner.initiator[4], 5)).toEqual({ sent: 5, received: 5 });
      expect(await pingStream(initiator.host, pair.inner.responder[6], 5)).toEqual({ sent: 5, received: 5 });
      expect(await pingStream(responder.host, pair.inner.initiator[6], 5)).toEqual({ sent: 5, received: 5 });
      const there = await transfer(initiator.host, responder.host, pair.inner.responder[4], MEGABYTES);
      const back = await transfer(responder.host, initiator.host, pair.inner.initiator[6], MEGABYTES);
      expect(there.received).toEqual(there.sent);
      expect(back.received).toEqual(back.sent);
      expect(await initiator.lastHandshake()).toBeGreaterThan(0);
      expect(await responder.lastHandshake()).toBeGreaterThan(0);
      const ours = [initiator, responder].find((node) => node instanceof WarrenNode);
      const role = test.initiator === 'warren' ? 'initiator' : 'responder';
      expect(ours?.process.stdout).toMatch(new RegExp(`completed as ${role}$`, 'm'));
      note(test, 'traffic ok');
    });
  }

  it('change keys under a stream of pings in both directions, all cells side by side', async () => {
    await Promise.all(
      cells.map(async ({ test, pair, initiator, responder }) => {
        const before = [await initiator.lastHandshake(), await responder.lastHandshake()] as const;
        const count = REKEY_STREAM_MS / PING_INTERVAL_MS;
        const streams = await Promise.all([
          pingStream(initiator.host, pair.inner.responder[4], count, PING_INTERVAL_MS),
          pingStream(responder.host, pair.inner.initiator[6], count, PING_INTERVAL_MS),
        ]);
        const after = [await initiator.lastHandshake(), await responder.lastHandshake()] as const;
        const lost = streams.map(({ sent, received }) => sent - received);
        note(test, `rekeyed after ${Math.round(after[0] - before[0])} s, lost ${lost.join(' + ')} of ${2 * count}`);
        expect(after[0], `${nameOf(test)}: initiator`).toBeGreaterThan(before[0] + 60);
        expect(after[1], `${nameOf(test)}: responder`).toBeGreaterThan(before[1] + 60);
        expect(streams.map(({ sent }) => sent)).toEqual([count, count]);
        expect(Math.max(...lost), nameOf(test)).toBeLessThanOrEqual(MAX_LOST);
      }),
    );
  });

  it('stay reachable behind a NAT that forgets after 30 s with keepalives, and only with them', async () => {
    await Promise.all(
      natCells.map(async ({ name, keepalive, pair, inside, server, quietSince }) => {
        // The streams above have run meanwhile; by itself this test would wait here.
        const rest = SILENCE_MS - (performance.now() - quietSince);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
        const { received } = await pingStream(server, pair.inner.initiator[4], 3);
        results.set(name, [
          `${received} of 3 after ${Math.round((performance.now() - quietSince) / 1_000)} s of silence`,
        ]);
        expect(received, name).toBe(keepalive ? 3 : 0);
        // From inside it always works, through a new mapping to which the server's side roams.
        expect(await inside.ping(pair.inner.responder[6], { count: 40, intervalMs: 250 }), name).toBe(true);
        expect(await server.ping(pair.inner.initiator[4], { count: 10 }), name).toBe(true);
      }),
    );
  });
});

const NAT_CASES = (['warren', 'wireguard-go'] as const).flatMap((inside) =>
  [25, undefined].map((keepalive) => ({ inside, keepalive })),
);

async function startNatCell(world: World, number: number, test: (typeof NAT_CASES)[number]): Promise<NatCell> {
  const lan = `192.168.${number + 1}.0/24`;
  const router = await world.addRouter({ name: `router-${number}`, nat: SHORT_NAT, lan });
  const inside = await world.addHost({ name: `inside-${number}`, on: router });
  const server = await world.addHost({ name: `server-${number}` });
  const pair = createPair({ initiator: inside, responder: server, outer: 4, number: 100 + number });
  const [peer] = pair.initiator.peers;
  const keepalive = test.keepalive === undefined ? {} : { persistentKeepalive: test.keepalive };
  const first = { ...pair.initiator, peers: [{ ...peer!, ...keepalive }] };
  const [ours, theirs] = test.inside === 'warren' ? [WarrenNode, WireGuardGoNode] : [WireGuardGoNode, WarrenNode];
  await Promise.all([ours.start(inside, first), theirs.start(server, pair.responder)]);
  const name = `${test.inside} behind a NAT of ${NAT_TIMEOUT_S} s, ${test.keepalive ? `keepalive ${test.keepalive}` : 'no keepalive'}`;
  expect(await inside.ping(pair.inner.responder[4], { count: 40, intervalMs: 250 }), name).toBe(true);
  expect(await server.ping(pair.inner.initiator[6]), name).toBe(true);
  return { name, keepalive: test.keepalive, pair, inside, server, quietSince: performance.now() };
}

async function startCell(world: World, number: number, test: Case): Promise<Cell> {
  const [initiator, responder] = await Promise.all([
    world.addHost({ name: `initiator-${number}` }),
    world.addHost({ name: `responder-${number}` }),
  ]);
  const shared = test.presharedKey ? { presharedKey: createPresharedKey() } : {};
  const pair = createPair({ initiator, responder, outer: test.outer, number, ...shared });
  const [ours, theirs] = [WarrenNode, WireGuardGoNode];
  const [first, second] = test.initiator === 'warren' ? [ours, theirs] : [theirs, ours];
  const start = (node: typeof first, host: Host, config: Pair['initiator']) =>
    node === WarrenNode
      ? WarrenNode.start(host, config, { env: { WARREN_DATAPLANE: packetsOf(test) } })
      : WireGuardGoNode.start(host, config);
  const [initiatorNode, responderNode] = await Promise.all([
    start(first, initiator, pair.initiator),
    start(second, responder, pair.responder),
  ]);
  return { test, pair, initiator: initiatorNode, responder: responderNode };
}
