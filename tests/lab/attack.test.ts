import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorld, execute, type Host, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, LISTEN_PORT, pingStream } from '../support/pair.js';
import { WarrenNode } from '../support/warren-node.js';
import { createKeyPair } from '../support/wireguard-keys.js';
import { waitFor } from '../support/wireguard-node.js';

const FLOOD = fileURLToPath(new URL('../support/flood.mjs', import.meta.url));
const SECONDS = 7;
const PINGS = 50;
/** The path table fills with strangers' addresses, whatever they send; nothing else may. */
const MAX_GROWTH = 48 << 20;
/** Where the world has no hosts of its own. */
const ATTACKERS_PREFIX = '203.0.113.192/27';
const ATTACKERS = Array.from({ length: 16 }, (_, i) => `203.0.113.${200 + i}`);

interface Outcome {
  readonly sent: Readonly<Record<'initiation' | 'junk' | 'replay', number>>;
  readonly answers: Readonly<Record<'initiation' | 'junk' | 'replay', Readonly<Record<string, number>>>>;
}

describeLab('a data plane under attack', ['tcpdump'], () => {
  let world: World;
  let a: Host;
  let b: Host;
  let late: Host;
  let attacker: Host;
  beforeAll(async () => {
    world = await createWorld({ name: 'attack' });
    [a, b, late, attacker] = (await Promise.all(
      ['a', 'b', 'late', 'attacker'].map((name) => world.addHost({ name })),
    )) as [Host, Host, Host, Host];
    await attacker.configure(ATTACKERS.map((address) => `address add ${address}/32 dev eth0`));
    const route = ['route', 'add', ATTACKERS_PREFIX, 'via', attacker.ipv4];
    expect(await execute('ip', ['-n', `${world.prefix}internet`, ...route])).toMatchObject({ code: 0 });
  });
  afterAll(() => world?.close());

  /** UDP payloads of a capture with Ethernet, IPv4 without options and UDP headers (pcap, little-endian). */
  function payloads(file: string): string[] {
    const bytes = readFileSync(file);
    const found: string[] = [];
    for (let at = 24; at + 16 <= bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) {
      found.push(bytes.subarray(at + 16 + 14 + 20 + 8, at + 16 + bytes.readUInt32LE(at + 8)).toString('hex'));
    }
    return found;
  }

  it('carries traffic, admits new peers by cookies, answers junk and replays with nothing, and does not grow', async () => {
    const pair = createPair({ initiator: a, responder: b, outer: 4 });
    const lateKeys = createKeyPair();
    const lateAddress = '10.77.0.9/32';
    const responderConfig = {
      ...pair.responder,
      peers: [...pair.responder.peers, { publicKey: lateKeys.publicKey, allowedIps: [lateAddress] }],
    };
    const capture = join(b.dir, 'session.pcap');
    const tcpdump = b.spawn('tcpdump', ['-i', 'eth0', '-U', '-w', capture, '-c', '12', 'udp', 'port', '51820']);
    await tcpdump.waitForOutput(/listening on/, 5_000);
    const [, responder] = await Promise.all([
      WarrenNode.start(a, pair.initiator),
      WarrenNode.start(b, responderConfig),
    ]);
    await waitFor('the first ping', () => a.ping(pair.inner.responder[4]));
    await pingStream(a, pair.inner.responder[4], 8, 50);
    await tcpdump.waitForExit(5_000);
    const before = await responder.stats();
    const [known] = before.peers;

    const plan = join(attacker.dir, 'flood.json');
    const replays = payloads(capture);
    expect(replays.length).toBe(12);
    const publicKey = pair.keys.responder.publicKey;
    writeFileSync(
      plan,
      JSON.stringify({
        target: b.ipv4,
        port: LISTEN_PORT,
        publicKey,
        addresses: ATTACKERS,
        portsPerAddress: 8,
        seconds: SECONDS,
        replays,
      }),
    );
    const flood = attacker.spawn(process.execPath, [FLOOD, plan]);
    await flood.waitForOutput(/^flooding$/m, 10_000);
    const stream = pingStream(a, pair.inner.responder[4], PINGS, 100);
    const newcomer = await WarrenNode.start(late, {
      ...pair.initiator,
      privateKey: lateKeys.privateKey,
      addresses: [lateAddress],
    });
    const admitted = waitFor('a new peer', () => late.ping(pair.inner.responder[4]), 12_000);
    const { sent, received } = await stream;
    expect(received / sent).toBeGreaterThanOrEqual(0.95);
    const [, json] = await flood.waitForOutput(/^done (.*)$/m, 15_000);
    await admitted;
    const outcome = JSON.parse(json!) as Outcome;
    const after = await responder.stats();
    console.log(
      JSON.stringify({ ...outcome, drops: after.drops, growth: after.rss - before.rss, pings: [received, sent] }),
    );

    // Only cookie replies, only for initiations with a right mac1, fewer than those and never larger.
    expect(outcome.answers.junk).toEqual({});
    expect(Object.keys(outcome.answers.initiation)).toEqual(['type 3, 64 bytes']);
    expect(outcome.answers.initiation['type 3, 64 bytes']!).toBeLessThan(outcome.sent.initiation);
    // A captured initiation or response has a right mac1, so it gets a cookie under load; captured data gets nothing.
    for (const kind of Object.keys(outcome.answers.replay)) expect(kind).toBe('type 3, 64 bytes');
    for (const reason of ['under-load-cookie-sent', 'mac1-mismatch', 'counter-replayed', 'wrong-message-length']) {
      expect(after.drops[reason], reason).toBeGreaterThan(0);
    }
    expect(after.peers[0]!.endpoint).toBe(known!.endpoint);
    expect(after.peers[0]!.lastHandshake).toBe(known!.lastHandshake);
    expect(after.rss - before.rss).toBeLessThan(MAX_GROWTH);
    await Promise.all([newcomer.stop(), responder.stop()]);
  });
});
