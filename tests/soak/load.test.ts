import { publicKeyFromBytes } from '@warren/base';
import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, pingStream, transfer } from '../support/pair.js';
import { WarrenNode } from '../support/warren-node.js';
import { waitFor } from '../support/wireguard-node.js';

const MINUTES = Number(process.env.WARREN_SOAK_MINUTES ?? 30);
const MEGABYTES = 64;
/** Peers that come and go in each round. */
const PASSERS_BY = 50;
/** More than rounds fit into the time. */
const MAX_ROUNDS = MINUTES * 30;
/** What the heap may be fuller at one moment than at another; a leak in half an hour of load is more. */
const MAX_GROWTH = 24 << 20;

const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MB`;

/** Public keys that nobody has the private key of. */
const passersBy = Array.from({ length: PASSERS_BY }, (_, i) => ({
  publicKey: publicKeyFromBytes(Uint8Array.from({ length: 32 }, (_byte, at) => (at === 31 ? 64 : (i * 7 + at) & 0xff))),
  allowedIps: [`10.99.${i}.0/24`, `fd99:${(i + 1).toString(16)}::/64`],
  endpoint: '203.0.113.253:9',
  persistentKeepalive: 25,
}));

describeLab('a data plane under mixed load', ['iperf3'], () => {
  let world: World;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    world = await createWorld({ name: 'soak-load' });
    a = await world.addHost({ name: 'a' });
    b = await world.addHost({ name: 'b' });
  });
  afterAll(() => world?.close());

  const timeout = (MINUTES + 10) * 60_000;
  it(`does not grow in ${MINUTES} minutes of TCP, UDP, small packets, rekeys, and peers that come and go`, {
    timeout,
  }, async () => {
    const pair = createPair({ initiator: a, responder: b, outer: 4 });
    const round = [
      ['change', { set: passersBy, remove: [] }],
      ['initiateHandshake', pair.keys.responder.publicKey],
      ['change', { set: [], remove: passersBy.map(({ publicKey }) => publicKey) }],
    ] as const;
    const steps = Array.from({ length: MAX_ROUNDS }, () => round).flat();
    const nodes = await Promise.all([
      WarrenNode.start(a, pair.initiator, { steps }),
      WarrenNode.start(b, pair.responder),
    ]);
    const [changing] = nodes;
    await waitFor('the first ping', () => a.ping(pair.inner.responder[4]));
    await b.spawn('iperf3', ['--server', '--forceflush']).waitForOutput(/listening/, 5_000);

    const udp = async (length: number, rate: string): Promise<void> => {
      const args = [
        '--client',
        pair.inner.responder[4],
        '--udp',
        '--length',
        String(length),
        '--bitrate',
        rate,
        '--time',
        '4',
      ];
      expect((await a.run('iperf3', args, { timeoutMs: 60_000 })).code, `UDP of ${length} bytes`).toBe(0);
    };
    const comeAndGo = async (): Promise<void> => {
      for (let step = 0; step < round.length; step++) await changing.nextStep();
    };
    const moved = { bytes: 0, pings: 0, answers: 0 };
    async function load(): Promise<void> {
      const tcp = [
        await transfer(a, b, pair.inner.responder[4], MEGABYTES),
        await transfer(b, a, pair.inner.initiator[6], MEGABYTES),
      ];
      for (const { sent, received } of tcp) expect(received).toEqual(sent);
      const [ping] = await Promise.all([
        pingStream(b, pair.inner.initiator[4], 60, 100),
        udp(1200, '40M').then(() => udp(64, '3M')),
        comeAndGo(),
      ]);
      moved.bytes += 2 * (MEGABYTES << 20);
      moved.pings += ping.sent;
      moved.answers += ping.received;
    }
    const rss = async (): Promise<number[]> =>
      (await Promise.all(nodes.map((node) => node.stats()))).map((stats) => stats.rss);

    // What is compiled and cached once is no leak.
    for (let warmUp = 0; warmUp < 3; warmUp++) await load();
    const end = performance.now() + MINUTES * 60_000;
    const first = await rss();
    let handshake = await changing.lastHandshake();
    let handshakes = 0;
    let rounds = 0;
    console.log(`start: RSS ${first.map(megabytes).join(' and ')}`);
    for (let minute = 1; performance.now() < end && rounds < MAX_ROUNDS - 3; rounds++) {
      await load();
      const last = await changing.lastHandshake();
      if (last !== handshake) handshakes++;
      handshake = last;
      if (performance.now() < end - (MINUTES - minute) * 60_000) continue;
      console.log(`minute ${minute++}, round ${rounds + 1}: RSS ${(await rss()).map(megabytes).join(' and ')}`);
    }
    const last = await rss();
    console.log(`end after ${rounds} rounds: RSS ${last.map(megabytes).join(' and ')}`);
    console.log(
      `${megabytes(moved.bytes)} of TCP, ${moved.answers} of ${moved.pings} pings answered, keys seen new ${handshakes} times`,
    );
    expect(handshakes).toBeGreaterThan(0);
    expect(moved.answers / moved.pings).toBeGreaterThan(0.99);
    last.forEach((bytes, i) => {
      expect(bytes - first[i]!).toBeLessThan(MAX_GROWTH);
    });
    await Promise.all(nodes.map((node) => node.stop()));
  });
});
