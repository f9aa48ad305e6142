import { createWorld, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, type Pair, pingStream, transfer } from '../support/pair.js';
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

const CASES: readonly Case[] = (['warren', 'wireguard-go'] as const).flatMap((initiator) =>
  [false, true].flatMap((presharedKey) => ([4, 6] as const).map((outer) => ({ initiator, presharedKey, outer }))),
);

interface Cell {
  readonly test: Case;
  readonly pair: Pair;
  readonly initiator: WireGuardNode;
  readonly responder: WireGuardNode;
}

const nameOf = ({ initiator, presharedKey, outer }: Case): string =>
  `${initiator} initiates, ${presharedKey ? 'with' : 'without'} preshared key, IPv${outer} outside`;

describeLab('our data plane and wireguard-go', ['wireguard-go', 'wg'], () => {
  let world: World;
  const cells: Cell[] = [];
  const results = new Map<string, string[]>();
  const note = (test: Case, result: string): void => {
    results.set(nameOf(test), [...(results.get(nameOf(test)) ?? []), result]);
  };

  beforeAll(async () => {
    world = await createWorld({ name: 'interop' });
    for (const [number, test] of CASES.entries()) cells.push(await startCell(world, number, test));
  });
  afterAll(async () => {
    const width = Math.max(...[...results.keys()].map((name) => name.length));
    for (const [name, cell] of results) console.log(`${name.padEnd(width)}  ${cell.join('  ')}`);
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
});

async function startCell(world: World, number: number, test: Case): Promise<Cell> {
  const [initiator, responder] = await Promise.all([
    world.addHost({ name: `initiator-${number}` }),
    world.addHost({ name: `responder-${number}` }),
  ]);
  const shared = test.presharedKey ? { presharedKey: createPresharedKey() } : {};
  const pair = createPair({ initiator, responder, outer: test.outer, number, ...shared });
  const [ours, theirs] = [WarrenNode, WireGuardGoNode];
  const [first, second] = test.initiator === 'warren' ? [ours, theirs] : [theirs, ours];
  const [initiatorNode, responderNode] = await Promise.all([
    first.start(initiator, pair.initiator),
    second.start(responder, pair.responder),
  ]);
  return { test, pair, initiator: initiatorNode, responder: responderNode };
}
