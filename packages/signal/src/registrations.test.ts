import { networkId, SecretKey } from '@warren/base';
import { ed25519PublicKey } from '@warren/crypto';
import { boxesReady } from '@warren/crypto/boxes';
import { decodeFrame, type RelayFrame } from '@warren/paths';
import { beforeAll, describe, expect, it } from 'vitest';
import { at, CoreRig, registerWith, type Sent } from './testing/core-rig.js';
import { AUTHORITY_KEY, NETWORK, random, sendFrame, TestAgent } from './testing/test-agent.js';

const STRANGER = new SecretKey(new Uint8Array(32).fill(66));
const HOUR = 3_600_000;
const frames = (sent: readonly Sent[]): (RelayFrame | undefined)[] => sent.map(({ bytes }) => decodeFrame(bytes));
const refusal = (rig: CoreRig, agent: TestAgent): unknown =>
  rig.ask(rig.registerFrame(agent, at(1)), at(1), 'refused').reason;

describe('admission', () => {
  beforeAll(() => boxesReady);

  it('keeps nothing for a hello, and is bound to address, nonce and minutes', () => {
    const rig = new CoreRig();
    const agent = new TestAgent('a');
    const frame = rig.registerFrame(agent, at(1));
    expect(rig.sessions.size).toBe(0);
    expect(rig.takeFrame(frame, at(2))).toEqual([]);
    expect(rig.takeFrame(frame, at(1, 4_001))).toEqual([]);
    expect(rig.takeFrame(registerWith(agent, random(8), frame.cookie), at(1))).toEqual([]);
    rig.now += 121_000;
    expect(rig.takeFrame(frame, at(1))).toEqual([]);
    expect(rig.drops.get('bad-cookie')).toBe(4);
    expect(rig.sessions.size).toBe(0);
  });

  it('holds for a cookie across a change of the secret', () => {
    const rig = new CoreRig();
    rig.now += HOUR - 1_500;
    const frame = rig.registerFrame(new TestAgent('a'), at(1));
    rig.now += 2_000;
    rig.registerFrame(new TestAgent('b'), at(2)); // makes the new secret
    rig.ask(frame, at(1), 'registered');
  });

  it('gives a repeated register the same session, and one from elsewhere nothing', () => {
    const rig = new CoreRig();
    const frame = rig.registerFrame(new TestAgent('a'), at(1));
    rig.ask(frame, at(1), 'registered');
    const [session] = rig.sessions.all();
    rig.ask(frame, at(1), 'registered');
    expect(rig.sessions.all()).toEqual([session]);
    expect(rig.takeFrame(frame, at(9))).toEqual([]);
  });

  it('refuses tickets of a foreign authority, damaged ones, and whoever has not the path key', () => {
    const rig = new CoreRig();
    expect(refusal(rig, new TestAgent('a', { authority: STRANGER }))).toBe('ticket-bad');
    const frame = rig.registerFrame(new TestAgent('a'), at(1));
    const damaged = { ...frame, ticket: frame.ticket.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) };
    expect(rig.ask(damaged, at(1), 'refused').reason).toBe('ticket-bad');
    const thief = Object.assign(new TestAgent('thief'), { ticket: new TestAgent('a').ticket });
    expect(refusal(rig, thief)).toBe('ticket-bad');
    expect(rig.sessions.size).toBe(0);
  });

  it('refuses expired tickets, and ends sessions whose ticket expires', () => {
    const rig = new CoreRig();
    expect(refusal(rig, new TestAgent('a', { expiresAt: rig.wall - 1 }))).toBe('ticket-expired');
    const session = rig.register(new TestAgent('b', { expiresAt: rig.wall + HOUR }), at(1));
    rig.wall += HOUR;
    rig.registrations.sweep();
    rig.ask({ type: 'alive?', session, sequence: 1 }, at(1), 'unknown-session');
  });

  it('refuses nodes with a tombstone of their authority, and of no other', () => {
    const other = ed25519PublicKey(STRANGER.expose());
    const rig = new CoreRig({ authorities: [AUTHORITY_KEY, other] });
    const [a, b] = [new TestAgent('a'), new TestAgent('b')];
    const evil = new TestAgent('evil', { authority: STRANGER });
    const session = rig.register(evil, at(3));
    rig.register(a, at(1));
    // An authority that names our network revokes nothing in it.
    rig.takeFrame({ type: 'tombstone', session, ...a.tombstone(STRANGER) }, at(3));
    expect(rig.sessions.ofAgent(a.relayId)).toHaveLength(1);
    rig.takeFrame({ type: 'tombstone', session, ...a.tombstone() }, at(3));
    expect(rig.drops.get('bad-tombstone')).toBe(1);
    rig.registrations.addTombstones([b.tombstone()]);
    expect(rig.sent()).toHaveLength(2); // told to both
    expect(refusal(rig, b)).toBe('revoked');
  });

  it('lets no other authority take over a relay id', () => {
    const other = ed25519PublicKey(STRANGER.expose());
    const rig = new CoreRig({ authorities: [AUTHORITY_KEY, other] });
    rig.register(new TestAgent('a'), at(2));
    expect(refusal(rig, new TestAgent('a', { authority: STRANGER }))).toBe('relay-id-taken');
  });

  it('is full at its limit, and has room again when a session has ended', () => {
    const rig = new CoreRig({ maxSessions: 2 });
    rig.register(new TestAgent('a'), at(2));
    rig.register(new TestAgent('b'), at(3));
    expect(refusal(rig, new TestAgent('c'))).toBe('full');
    rig.register(new TestAgent('b'), at(4)); // who is here already needs no room
    rig.now += 81_000;
    rig.registrations.sweep();
    rig.register(new TestAgent('c'), at(1));
  });

  it('does not take what its own bounce sealed as an agent for a registration of the other', () => {
    const rig = new CoreRig();
    const [bounce, thief] = [new TestAgent('other'), at(66)];
    // Somebody on the way had the bounce whose key is this server's register at the other one, with our nonce and cookie.
    const nonce = random(8);
    const { cookie } = rig.ask({ type: 'hello', nonce }, thief, 'challenge');
    const own = { ticket: new TestAgent('this-bounce').ticket, boxKey: bounce.boxKey };
    const { box } = registerWith(Object.assign(new TestAgent('x'), own), nonce, cookie);
    const reflected = { type: 'register', nonce, cookie, ticket: bounce.ticket, box } as const;
    expect(rig.ask(reflected, thief, 'refused').reason).toBe('ticket-bad');
    expect(rig.sessions.size).toBe(0);
  });

  it('takes the addresses of an IPv6 site for one, as whoever has one of them has as many as he likes', () => {
    const rig = new CoreRig();
    const ticket = new TestAgent('a', { authority: STRANGER });
    for (let i = 0; i < 600; i++) {
      const from = `[2001:db8:1:${i.toString(16)}::1]:4000` as ReturnType<typeof at>;
      rig.takeFrame(rig.registerFrame(ticket, from), from);
    }
    expect(rig.drops.get('registration-limit')).toBe(100);
  });

  it('verifies so many tickets a second for one address, and goes on for others', () => {
    const rig = new CoreRig();
    const frame = rig.registerFrame(new TestAgent('a', { authority: STRANGER }), at(1));
    for (let i = 0; i < 600; i++) rig.takeFrame(frame, at(1));
    expect(rig.drops.get('registration-limit')).toBe(100);
    rig.register(new TestAgent('b'), at(2));
  });
});

describe('sessions', () => {
  beforeAll(() => boxesReady);

  it('belong to the address from which they registered', () => {
    const rig = new CoreRig();
    const session = rig.register(new TestAgent('a'), at(1));
    const alive = rig.ask({ type: 'alive?', session, sequence: 7 }, at(1), 'alive');
    expect(alive).toMatchObject({ sequence: 7, seen: at(1) });
    rig.ask({ type: 'alive?', session, sequence: 8 }, at(1, 4_001), 'unknown-session');
  });

  it('end after three missed keepalives, and not before', () => {
    const rig = new CoreRig();
    const session = rig.register(new TestAgent('a'), at(1));
    rig.now += 74_000;
    rig.registrations.sweep();
    rig.ask({ type: 'alive?', session, sequence: 1 }, at(1), 'alive');
    rig.now += 81_000;
    rig.registrations.sweep();
    rig.ask({ type: 'alive?', session, sequence: 2 }, at(1), 'unknown-session');
  });

  it('are replaced by a new registration of the node over the same transport', () => {
    const rig = new CoreRig();
    const agent = new TestAgent('a');
    const first = rig.register(agent, at(1));
    const second = rig.register(agent, at(1, 4_001));
    rig.ask({ type: 'alive?', session: first, sequence: 1 }, at(1), 'unknown-session');
    rig.ask({ type: 'alive?', session: second, sequence: 1 }, at(1, 4_001), 'alive');
  });

  it('that were replaced relay what was under way for two seconds more, and only one of them is kept', () => {
    const rig = new CoreRig();
    const [agent, other] = [new TestAgent('a'), new TestAgent('b')];
    rig.register(other, at(2));
    const [first, second, third] = [4_000, 4_001, 4_002].map((port) => rig.register(agent, at(1, port)));
    const relayed = (session: Uint8Array, port: number) =>
      frames(rig.take(sendFrame(session, other, random(9)), at(1, port))).map((frame) => frame?.type);
    expect(rig.sessions.size).toBe(2 + 1);
    expect([relayed(first!, 4_000), relayed(second!, 4_001), relayed(third!, 4_002)]).toEqual([
      ['unknown-session'],
      ['deliver'],
      ['deliver'],
    ]);
    rig.now += 2_000;
    rig.registrations.sweep();
    expect([relayed(second!, 4_001), relayed(third!, 4_002)]).toEqual([['unknown-session'], ['deliver']]);
    expect(rig.sessions.size).toBe(2);
  });

  it('over UDP and a stream stand side by side, and datagrams go where the agent registered last', () => {
    const rig = new CoreRig();
    const [a, b] = [new TestAgent('a'), new TestAgent('b')];
    const from = rig.register(a, at(1));
    rig.register(b, at(2));
    rig.registerOverStream(b, 5);
    expect(rig.take(sendFrame(from, b, random(9)), at(1))).toEqual([]);
    expect(rig.toStreams.map(({ frame }) => decodeFrame(frame)?.type)).toEqual(['deliver']);
    rig.sessions.remove(rig.sessions.ofAgent(b.relayId)[0]!);
    expect(frames(rig.take(sendFrame(from, b, random(9)), at(1)))).toMatchObject([{ type: 'deliver' }]);
  });

  it('are one at most for a connection, and end with it', () => {
    const rig = new CoreRig();
    const [a, b] = [new TestAgent('a'), new TestAgent('b')];
    rig.registerOverStream(a, 5);
    rig.registerOverStream(b, 5);
    expect(rig.sessions.all().map(({ who }) => who.node)).toEqual([b.node]);
    rig.registerOverStream(b, 6);
    expect(rig.sessions.ofStream(5)).toBeUndefined();
    expect(rig.sessions.size).toBe(1);
  });

  it('say unknown session a few times a second and address, however often they are asked', () => {
    const rig = new CoreRig();
    const question: RelayFrame = { type: 'alive?', session: random(8), sequence: 1 };
    const answers = Array.from({ length: 100 }, () => rig.takeFrame(question, at(1)).length);
    expect(answers.reduce((sum, count) => sum + count)).toBe(10);
    expect(rig.takeFrame(question, at(2))).toHaveLength(1);
    rig.now += 1_000;
    expect(rig.takeFrame(question, at(1))).toHaveLength(1);
  });

  it('end with a tombstone that another agent brings, which goes to all of the network and to our host once', () => {
    const rig = new CoreRig();
    const [a, b, c] = [new TestAgent('a'), new TestAgent('b'), new TestAgent('c')];
    const elsewhere = new TestAgent('d', { network: networkId('another-net') });
    const session = rig.register(a, at(1));
    for (const [i, agent] of [b, c, elsewhere].entries()) rig.register(agent, at(2 + i));
    const stone = b.tombstone();
    const told = rig.takeFrame({ type: 'tombstone', session, ...stone }, at(1));
    expect(told.map(({ to }) => to)).toEqual([at(1), at(3)]);
    expect(decodeFrame(told[1]!.bytes)).toEqual({
      type: 'tombstone',
      session: rig.sessions.ofAgent(c.relayId)[0]!.name,
      ...stone,
    });
    expect(rig.sessions.ofAgent(b.relayId)).toEqual([]);
    expect(rig.takeFrame({ type: 'tombstone', session, ...stone }, at(1))).toEqual([]);
    expect(rig.brought).toEqual([stone]);
    const late = rig.registerFrame(new TestAgent('e'), at(9));
    expect(frames(rig.takeFrame(late, at(9)))).toMatchObject([{ type: 'registered' }, { type: 'tombstone', ...stone }]);
  });

  it('take no tombstone of another network, and verify so many a second', () => {
    const rig = new CoreRig();
    const session = rig.register(new TestAgent('a'), at(1));
    const elsewhere = new TestAgent('d', { network: networkId('another-net') });
    rig.register(elsewhere, at(2));
    for (let i = 0; i < 60; i++) rig.takeFrame({ type: 'tombstone', session, ...elsewhere.tombstone() }, at(1));
    expect(rig.sessions.ofAgent(elsewhere.relayId)).toHaveLength(1);
    expect([rig.drops.get('bad-tombstone'), rig.drops.get('tombstone-limit')]).toEqual([50, 10]);
    expect(rig.sessions.ofNetwork(NETWORK)).toHaveLength(1);
  });
});
