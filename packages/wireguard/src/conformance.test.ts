import { type IpAddress, isDrop, type Prefix, SecretKey } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { describe, expect, it } from 'vitest';
import {
  HANDSHAKE_BURST_PER_SOURCE,
  HANDSHAKES_PER_SECOND_AND_SOURCE,
  KEEPALIVE_TIMEOUT,
  MAX_HANDSHAKES_PER_SECOND,
  REJECT_AFTER_MESSAGES,
  REKEY_AFTER_TIME,
  REKEY_TIMEOUT,
  REKEY_TIMEOUT_JITTER,
  REPLAY_WINDOW_BITS,
} from './constants.js';
import type { PathId } from './device-api.js';
import { CookieGenerator } from './handshake/cookie.js';
import {
  COOKIE_REPLY_LENGTH,
  INITIATION_LENGTH,
  MESSAGE_TYPE,
  RESPONSE_LENGTH,
  TRANSPORT_MIN_LENGTH,
} from './handshake/messages.js';
import { ipPacket } from './testing/packets.js';
import { connectedHosts, type Host, seededRandom, twoHosts, World } from './testing/two-devices.js';

const { initiation: INITIATION, response: RESPONSE, cookieReply: COOKIE_REPLY, transport: TRANSPORT } = MESSAGE_TYPE;
/** An empty transport message: header and tag. */
const KEEPALIVE_LENGTH = TRANSPORT_MIN_LENGTH;
const psk = (fill: number): SecretKey => new SecretKey(new Uint8Array(32).fill(fill));

/** Keeps what `from` sends next off the wire, and gives it. */
function intercept(world: World, from: Host, action: () => void): Uint8Array {
  const { filter } = world;
  world.filter = () => false;
  world.log.length = 0;
  action();
  world.filter = filter;
  return world.log.find((flight) => flight.from === from)!.transmit.datagram;
}

/** An initiation although REKEY_TIMEOUT has not passed. */
function initiationOf(from: Host, to: Host, world: World): Uint8Array {
  return intercept(world, from, () => {
    from.peer(to).lastSentHandshake = Number.NEGATIVE_INFINITY;
    from.device.initiateHandshake(to.publicKey, world.now);
    world.collect(from);
  });
}

/** Asks the host, which is under load, for a cookie that `from` then has. */
function fetchCookie(from: Host, to: Host, world: World): Uint8Array {
  to.receive(initiationOf(from, to, world), from.path);
  const reply = world.sent(COOKIE_REPLY, to)[0]!.transmit.datagram;
  world.settle();
  return reply;
}

const elsewhere = (host: Host, { address = 0, port = 0 }): PathId =>
  (((host.path & 0xff) + address) | (port << 8)) as PathId;

/** Defects that other implementations had to fix, one test for each, whole device against whole device. */
describe.each([
  ['in memory', true],
  ['by copies', false],
] as const)('conformance, packets %s', (_, inMemory) => {
  it('replay window 8192: the 8192nd packet back is delivered once, the 8193rd never', () => {
    for (const [newest, delivered] of [
      [REPLAY_WINDOW_BITS, 1],
      [REPLAY_WINDOW_BITS + 1, 0],
    ] as const) {
      const { world, alice, bob } = connectedHosts({}, inMemory);
      const { current } = alice.peer(bob).keypairs;
      const held = intercept(world, alice, () => alice.send(bob));
      current!.skipCounters(current!.sendCounter - 1 + newest - 1);
      alice.send(bob);
      world.settle();
      expect(bob.delivered).toHaveLength(1);
      bob.receive(held, alice.path);
      bob.receive(held, alice.path);
      expect(bob.delivered).toHaveLength(1 + delivered);
    }
  });

  it('passive keepalive rules: one empty packet ten seconds after data, none after keepalives or own data', () => {
    const { world, alice, bob } = connectedHosts({}, inMemory);
    const keepalives = (): string[] =>
      world
        .sent(TRANSPORT)
        .filter(({ transmit }) => transmit.datagram.length === KEEPALIVE_LENGTH)
        .map(({ from, at }) => `${from.name} ${at - began}`);
    const began = world.now;
    alice.send(bob);
    world.advance(KEEPALIVE_TIMEOUT - 1);
    expect(keepalives()).toEqual([]);
    world.advance(10 * KEEPALIVE_TIMEOUT);
    expect(keepalives()).toEqual([`bob ${KEEPALIVE_TIMEOUT}`]);
    expect(world.sent(INITIATION)).toEqual([]);
    alice.send(bob);
    world.settle();
    bob.send(alice);
    world.advance(KEEPALIVE_TIMEOUT - 1);
    expect(keepalives()).toHaveLength(1);
  });

  it('handshake jitter: repetitions and new attempts come 0 to 333 ms late, each by another amount', () => {
    const lateness = (afterSession: boolean): number[] =>
      Array.from({ length: 40 }, (_, i) => {
        const { world, alice, bob } = afterSession ? connectedHosts({}, inMemory) : twoHosts({}, inMemory);
        alice.device.pollTimeout();
        world.filter = () => false;
        for (let draws = 0; draws < i; draws++) alice.state.options.random(1);
        const began = world.now;
        alice.send(bob);
        world.log.length = 0;
        world.advance(KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER - 1);
        const due = afterSession ? KEEPALIVE_TIMEOUT + REKEY_TIMEOUT : REKEY_TIMEOUT;
        return world.sent(INITIATION, alice)[0]!.at - began - due;
      });
    for (const late of [lateness(false), lateness(true)]) {
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...late)).toBeLessThan(REKEY_TIMEOUT_JITTER);
      expect(new Set(late).size).toBeGreaterThan(20);
    }
  });

  it('PSK change without losing the session: the old keys carry on, the next handshake needs the new PSK', () => {
    const { world, alice, bob } = connectedHosts({ presharedKey: psk(1) }, inMemory);
    alice.knows(bob, { presharedKey: psk(2) });
    alice.send(bob);
    bob.send(alice);
    world.settle();
    expect([alice.delivered.length, bob.delivered.length]).toEqual([1, 1]);
    world.advance(REKEY_AFTER_TIME);
    alice.send(bob);
    world.settle();
    // Bob does not have it yet, so that there is no new session; the old one lasts to REJECT_AFTER_TIME.
    expect(alice.handshakes()).toBe(0);
    expect(bob.delivered).toHaveLength(2);
    bob.knows(alice, { presharedKey: psk(2) });
    world.advance(REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER);
    expect(alice.handshakes()).toBe(1);
  });

  it('REJECT_AFTER_MESSAGES: no counter from there on is sealed or opened', () => {
    const { world, alice, bob } = connectedHosts({}, inMemory);
    const { current } = alice.peer(bob).keypairs;
    current!.skipCounters(REJECT_AFTER_MESSAGES - 1);
    const last = intercept(world, alice, () => alice.send(bob));
    bob.receive(last, alice.path);
    expect(bob.delivered).toHaveLength(1);
    world.advance(REKEY_TIMEOUT);
    expect(intercept(world, alice, () => alice.send(bob))[0]).toBe(INITIATION);
    expect(current!.sendCounter).toBe(REJECT_AFTER_MESSAGES);
    for (const counter of [BigInt(REJECT_AFTER_MESSAGES), 2n ** 53n, 2n ** 64n - 1n]) {
      const datagram = last.slice();
      new DataView(datagram.buffer).setBigUint64(8, counter, true);
      expect(bob.receive(datagram, alice.path)).toMatchObject({ reason: 'counter-beyond-limit' });
    }
  });

  it('64-bit counters: neither header, nonce nor replay window wraps at 2^32', () => {
    const { world, alice, bob } = connectedHosts({}, inMemory);
    const first = intercept(world, alice, () => alice.send(bob));
    alice.peer(bob).keypairs.current!.skipCounters(2 ** 32 - 2);
    const datagrams = [0, 1, 2, 3].map(() => intercept(world, alice, () => alice.send(bob)));
    const counters = datagrams.map((datagram) => new DataView(datagram.buffer, 8).getBigUint64(0, true));
    expect(counters).toEqual([2n ** 32n - 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n]);
    for (const datagram of datagrams.toReversed()) bob.receive(datagram, alice.path);
    expect(bob.delivered).toHaveLength(4);
    for (const datagram of [first, ...datagrams]) {
      expect(bob.receive(datagram, alice.path)).toMatchObject({ reason: 'counter-replayed' });
    }
  });

  it('longest-prefix check of the source address: a shorter prefix of the sender’s is not enough', () => {
    const world = new World(nobleProvider, inMemory);
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.addHost(name)) as [Host, Host, Host];
    alice.knows(bob);
    bob.knows(alice, { allowedIps: ['10.0.0.0/8', '10.0.0.1/32', '::/0'] as Prefix[] });
    bob.knows(carol, { allowedIps: ['10.1.0.0/16', 'fd00::/8'] as Prefix[] });
    alice.knows(bob, { allowedIps: ['10.0.0.2/32', '2001:db8::2/128'] as Prefix[] });
    const accepted = (source: string): boolean => {
      const before = bob.delivered.length;
      const v6 = source.includes(':');
      const packet = ipPacket(source as IpAddress, (v6 ? '2001:db8::2' : bob.address) as IpAddress);
      if (inMemory) alice.sendRun(bob, [packet]);
      else {
        const out = new Uint8Array(200);
        const sealed = alice.device.sealPacket(packet, out, world.now);
        if (!isDrop(sealed) && sealed.length > 0) bob.receive(out.slice(0, sealed.length), alice.path);
      }
      world.settle();
      return bob.delivered.length > before;
    };
    expect(['10.0.0.1', '10.2.0.1', '2001:db8::1'].map(accepted)).toEqual([true, true, true]);
    expect(['10.1.0.1', '10.1.255.255', 'fd00::1', '192.0.2.1'].map(accepted)).toEqual([false, false, false, false]);
    expect(bob.device.drops().get('inner-source-not-allowed')).toBe(4);
  });

  it('cookie MAC that covers the port: a cookie is worth nothing from another port of the same address', () => {
    const { world, alice, bob } = twoHosts({}, inMemory);
    bob.device.setUnderLoad(true);
    fetchCookie(alice, bob, world);
    const datagram = initiationOf(alice, bob, world);
    const refused = { reason: 'under-load-cookie-sent' };
    expect(bob.receive(datagram, elsewhere(alice, { port: 1 }))).toMatchObject(refused);
    expect(bob.receive(datagram, elsewhere(alice, { address: 9 }))).toMatchObject(refused);
    expect(bob.receive(datagram, alice.path)).toMatchObject({ length: 0, peer: alice.publicKey });
  });

  it('no roaming on cookie replies: an authentic one from elsewhere moves neither endpoint nor timers', () => {
    const { world, alice, bob } = connectedHosts({}, inMemory);
    bob.device.setUnderLoad(true);
    world.filter = () => false;
    const initiation = initiationOf(alice, bob, world);
    bob.receive(initiation, alice.path);
    const reply = world.sent(COOKIE_REPLY, bob)[0]!.transmit.datagram;
    const before = alice.device.pollTimeout();
    expect(alice.receive(reply, elsewhere(bob, { address: 9, port: 7 }))).toMatchObject({ length: 0 });
    expect(alice.pathTo(bob)).toBe(bob.path);
    expect(alice.events).toEqual([]);
    expect(alice.device.pollTimeout()).toEqual(before);
  });

  it('oversized datagrams, and truncated ones: dropped by their length, whatever their type, and nothing answers', () => {
    const { world, alice, bob } = connectedHosts({}, inMemory);
    const transport = intercept(world, alice, () => alice.send(bob));
    const handshake = initiationOf(alice, bob, world);
    const valid = new Map([
      [INITIATION, INITIATION_LENGTH],
      [RESPONSE, RESPONSE_LENGTH],
      [COOKIE_REPLY, COOKIE_REPLY_LENGTH],
    ]);
    const longest = inMemory ? 4096 : 65_507;
    world.log.length = 0;
    for (const [type, length] of valid) {
      for (const wrong of [4, length - 1, length + 1, 1500, longest]) {
        const datagram = new Uint8Array(wrong);
        datagram.set(handshake.subarray(0, wrong));
        datagram[0] = type;
        expect(bob.receive(datagram, alice.path), `${type}, ${wrong}`).toMatchObject({
          reason: 'wrong-message-length',
        });
      }
    }
    for (let length = 0; length < transport.length; length++) {
      expect(isDrop(bob.receive(transport.slice(0, length), alice.path)), `${length}`).toBe(true);
    }
    const long = new Uint8Array(longest);
    long.set(transport);
    expect(isDrop(bob.receive(long, alice.path))).toBe(true);
    expect(world.log).toEqual([]);
    expect(bob.receive(transport, alice.path)).toMatchObject({ length: 100 });
  });

  it('initiation flood from one address: its rest is limited, others still get in, sessions go on', () => {
    const world = new World(nobleProvider, inMemory);
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.addHost(name)) as [Host, Host, Host];
    for (const peer of [alice, carol]) {
      peer.knows(bob);
      bob.knows(peer);
    }
    const mallory = elsewhere(alice, { address: 77 });
    for (let i = 0; i < 2 * MAX_HANDSHAKES_PER_SECOND; i++) bob.receive(noise(bob, world, i), mallory);
    // Its content is tried no more: from here on it costs hashes.
    expect(bob.device.drops().get('handshake-not-authentic')).toBe(MAX_HANDSHAKES_PER_SECOND);
    fetchCookie(alice, bob, world);
    const datagram = initiationOf(alice, bob, world);
    const answers = Array.from({ length: 100 }, () => bob.receive(datagram, alice.path));
    expect(isDrop(answers[0]!)).toBe(false);
    expect(answers.filter((answer) => isDrop(answer) && answer.reason === 'handshake-rate-limited')).toHaveLength(
      100 - HANDSHAKE_BURST_PER_SOURCE,
    );
    fetchCookie(carol, bob, world);
    expect(bob.receive(initiationOf(carol, bob, world), carol.path)).toMatchObject({ peer: carol.publicKey });
    world.now = (world.now + 1_000 / HANDSHAKES_PER_SECOND_AND_SOURCE) as typeof world.now;
    expect(bob.receive(initiationOf(alice, bob, world), alice.path)).toMatchObject({ peer: alice.publicKey });
  });

  it('index table growth: four indices a peer, none for strangers and forgeries, none after removal', () => {
    const { world, alice, bob } = twoHosts({}, inMemory);
    for (let i = 0; i < 60; i++) {
      const initiation = initiationOf(alice, bob, world);
      bob.receive(initiation, alice.path);
      const forged = initiation.slice();
      forged[20]! ^= 1;
      bob.receive(forged, alice.path);
      bob.receive(noise(bob, world, i), elsewhere(alice, { address: 50, port: i }));
      if (i % 3 === 0) world.settle();
      world.now = (world.now + 100) as typeof world.now;
      expect(bob.state.indices.size).toBeLessThanOrEqual(4);
      expect(alice.state.indices.size).toBeLessThanOrEqual(4);
    }
    expect(bob.state.indices.size).toBeGreaterThan(0);
    bob.device.removePeer(alice.publicKey);
    alice.device.removePeer(bob.publicKey);
    expect([alice.state.indices.size, bob.state.indices.size]).toEqual([0, 0]);
  });
});

/** An initiation with valid mac1 whose content is noise: what a flood looks like. */
function noise(target: Host, world: World, seed: number): Uint8Array {
  const datagram = seededRandom(seed)(INITIATION_LENGTH);
  datagram.set([INITIATION, 0, 0, 0]);
  new CookieGenerator(nobleProvider, target.state.local.publicKey).addMacs(datagram, world.now);
  return datagram;
}
