import { type Endpoint, type Instant, instant, SecretKey } from '@warren/base';
import { boxesReady, boxPublicKey, precomputeBoxKey } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type RelayFrame } from './frames.js';
import { opensRegister, sealRegistered } from './registration-box.js';
import { createRelayClient } from './relay-client.js';
import type { RelayClient, RelayClientEvent } from './relay-client-api.js';

const AGENT = new Uint8Array(32).fill(7);
const SERVER = new Uint8Array(32).fill(9);
const TICKET = new Uint8Array(150).fill(5);
const SEEN = '192.0.2.1:4000' as Endpoint;
const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

/** A client, its clock, and what a server would do with the keys of one. */
class Rig {
  now: Instant = instant(1_000);
  readonly client: RelayClient;
  readonly boxKey = precomputeBoxKey(boxPublicKey(AGENT), SERVER)!;
  #random = 0;
  /** What was sent last. */
  #last: RelayFrame | undefined;

  constructor(transport: 'udp' | 'tls' = 'udp', serverKey = boxPublicKey(SERVER)) {
    this.client = createRelayClient({
      server: 's1',
      serverKey,
      transport,
      pathKey: new SecretKey(AGENT),
      random: (length) => fill(length, ++this.#random),
    });
  }

  started(): this {
    this.client.setTicket(TICKET, this.now);
    this.client.start(this.now);
    return this;
  }

  sent(): RelayFrame[] {
    const frames: RelayFrame[] = [];
    for (let bytes = this.client.pollTransmit(); bytes; bytes = this.client.pollTransmit())
      frames.push(decodeFrame(bytes)!);
    this.#last = frames.at(-1) ?? this.#last;
    return frames;
  }

  events(): RelayClientEvent[] {
    const events: RelayClientEvent[] = [];
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) events.push(event);
    return events;
  }

  take(frame: RelayFrame): boolean {
    return this.client.handleFrame(encodeFrame(frame), this.now);
  }

  /** Lets the time pass, timer by timer. @returns what was sent, with the milliseconds since `from`. */
  pass(ms: number): [number, RelayFrame['type']][] {
    const [from, end] = [this.now, instant(this.now + ms)];
    const sent: [number, RelayFrame['type']][] = [];
    for (let at = this.client.pollTimeout(); at !== undefined && at <= end; at = this.client.pollTimeout()) {
      this.now = at;
      this.client.handleTimeout(at);
      for (const { type } of this.sent()) sent.push([at - from, type]);
    }
    this.now = end;
    return sent;
  }

  /** Answers hello and register, `rtt` ms later each. */
  register(session = 2, seen = SEEN, rtt = 20): void {
    const hello = this.sent().at(-1) ?? this.#last;
    if (hello?.type !== 'hello') throw new Error(`no hello but ${hello?.type}`);
    this.now = instant(this.now + rtt);
    expect(this.take({ type: 'challenge', nonce: hello.nonce, cookie: fill(16, 4) })).toBe(true);
    const register = this.sent().at(-1);
    if (register?.type !== 'register') throw new Error(`no register but ${register?.type}`);
    this.now = instant(this.now + rtt);
    expect(this.take(this.registeredFrame(register.nonce, session, seen))).toBe(true);
  }

  registeredFrame(nonce: Uint8Array, session = 2, seen = SEEN): RelayFrame {
    const registration = { session: fill(8, session), keepaliveSeconds: 25, seen };
    return { type: 'registered', nonce, box: sealRegistered(this.boxKey, fill(24, 1), nonce, registration) };
  }
}

describe('a registration at a signal server', () => {
  beforeAll(() => boxesReady);

  it('stands after two round trips, with ticket, proof of the path key, session and reflexive address', () => {
    const rig = new Rig().started();
    const [hello] = rig.sent();
    if (hello?.type !== 'hello') return expect.unreachable('hello comes first');
    rig.take({ type: 'challenge', nonce: hello.nonce, cookie: fill(16, 4) });
    const [register] = rig.sent();
    if (register?.type !== 'register') return expect.unreachable('then register');
    expect(register.ticket).toEqual(TICKET);
    expect(opensRegister(rig.boxKey, register.box, { nonce: hello.nonce, cookie: fill(16, 4), ticket: TICKET })).toBe(
      true,
    );
    rig.take(rig.registeredFrame(hello.nonce));
    expect(rig.events()).toEqual([{ type: 'registered', session: fill(8, 2), reflexive: SEEN }]);
    expect(rig.client.registered).toBe(true);
    expect(rig.client.session).toEqual(fill(8, 2));
  });

  it('sends nothing without a ticket, and begins when it has one', () => {
    const rig = new Rig();
    rig.client.start(rig.now);
    expect(rig.sent()).toEqual([]);
    expect(rig.client.pollTimeout()).toBeUndefined();
    rig.client.setTicket(TICKET, rig.now);
    expect(rig.sent().map(({ type }) => type)).toEqual(['hello']);
  });

  it('asks again after 250 ms and ever more slowly, and says once that nobody answers', () => {
    const rig = new Rig().started();
    rig.sent();
    expect(rig.pass(12_000)).toEqual([250, 750, 1_750, 3_750, 7_750, 11_750].map((at) => [at, 'hello']));
    expect(rig.events()).toEqual([{ type: 'lost' }]);
    rig.client.handleTimeout(rig.now);
    rig.take({ type: 'challenge', nonce: fill(8, 99), cookie: fill(16, 4) }); // somebody else's
    expect(rig.sent()).toEqual([]);
  });

  it('asks over a stream, which loses nothing, less impatiently', () => {
    const rig = new Rig('tls').started();
    rig.sent();
    expect(rig.pass(3_500).map(([at]) => at)).toEqual([1_000, 3_000]);
  });

  it('goes back to hello when registers stay without an answer: the cookie may be too old', () => {
    const rig = new Rig().started();
    const [hello] = rig.sent();
    if (hello?.type !== 'hello') return expect.unreachable();
    rig.take({ type: 'challenge', nonce: hello.nonce, cookie: fill(16, 4) });
    rig.sent();
    const types = rig.pass(6_000).map(([, type]) => type);
    expect(types.slice(0, 3)).toEqual(['register', 'register', 'hello']);
  });

  it('keeps alive every 25 s, measures the round trip, and stands', () => {
    const rig = new Rig().started();
    rig.register(2, SEEN, 20);
    expect(rig.client.rttMs).toBe(20);
    for (let minute = 0; minute < 3; minute++) {
      expect(rig.pass(25_000)).toEqual([[25_000, 'alive?']]);
      rig.now = instant(rig.now + 60);
      rig.take({ type: 'alive', session: fill(8, 2), sequence: minute + 1, seen: SEEN });
    }
    expect(rig.client.rttMs).toBeGreaterThan(20);
    expect(rig.client.rttMs).toBeLessThan(60);
    expect(rig.events().map(({ type }) => type)).toEqual(['registered']);
  });

  it('registers anew at once when the server does not know the session, and tells the new address', () => {
    const rig = new Rig().started();
    rig.register();
    rig.pass(5_000);
    rig.events();
    expect(rig.take({ type: 'unknown-session', session: fill(8, 77) })).toBe(false);
    expect(rig.client.registered).toBe(true);
    expect(rig.take({ type: 'unknown-session', session: fill(8, 2) })).toBe(true);
    expect(rig.client.registered).toBe(false);
    rig.register(3, '198.51.100.9:5000' as Endpoint);
    expect(rig.events()).toEqual([{ type: 'registered', session: fill(8, 3), reflexive: '198.51.100.9:5000' }]);
  });

  it('does not take the word of a forged *alive* for a new address', () => {
    const rig = new Rig().started();
    rig.register();
    rig.events();
    rig.client.check(rig.now);
    rig.sent();
    rig.take({ type: 'alive', session: fill(8, 2), sequence: 1, seen: '203.0.113.66:6' as Endpoint });
    expect(rig.events()).toEqual([]);
    expect(rig.sent().map(({ type }) => type)).toEqual(['hello']);
  });

  it('finds out within 800 ms that a server has died, and registers anew', () => {
    const rig = new Rig().started();
    rig.register();
    rig.events();
    rig.pass(3_000);
    rig.client.check(rig.now);
    expect(rig.sent().map(({ type }) => type)).toEqual(['alive?']);
    rig.client.check(rig.now); // asking twice is asking once
    expect(rig.sent()).toEqual([]);
    expect(rig.pass(800)).toEqual([
      [400, 'alive?'],
      [800, 'hello'],
    ]);
    expect(rig.events()).toEqual([{ type: 'lost' }]);
    rig.register(4);
    expect(rig.events().map(({ type }) => type)).toEqual(['registered']);
  });

  it('is asked sooner when the way may be back', () => {
    const rig = new Rig().started();
    rig.sent();
    rig.pass(4_000); // the next one would be at 7,750
    rig.client.check(rig.now);
    expect(rig.sent().map(({ type }) => type)).toEqual(['hello']);
  });

  it('rests when it was refused, and tries at once with another ticket', () => {
    const rig = new Rig().started();
    const [hello] = rig.sent();
    if (hello?.type !== 'hello') return expect.unreachable();
    rig.take({ type: 'refused', nonce: hello.nonce, reason: 'ticket-expired' });
    expect(rig.events()).toEqual([{ type: 'refused', reason: 'ticket-expired' }]);
    expect(rig.pass(29_000)).toEqual([]);
    rig.client.setTicket(TICKET, rig.now);
    expect(rig.sent()).toEqual([]);
    rig.client.setTicket(fill(150, 6), rig.now);
    expect(rig.sent().map(({ type }) => type)).toEqual(['hello']);
  });

  it('believes no registered that the server did not seal', () => {
    const rig = new Rig().started();
    const [hello] = rig.sent();
    if (hello?.type !== 'hello') return expect.unreachable();
    rig.take({ type: 'challenge', nonce: hello.nonce, cookie: fill(16, 4) });
    expect(rig.take({ type: 'registered', nonce: hello.nonce, box: fill(66, 1) })).toBe(false);
    expect(rig.client.registered).toBe(false);
  });

  it('passes on who is not here and who was revoked', () => {
    const rig = new Rig().started();
    rig.register();
    rig.events();
    const [session, destination, tombstone, signature] = [fill(8, 2), fill(8, 3), fill(150, 4), fill(64, 5)];
    rig.take({ type: 'not-here', session, destination });
    rig.take({ type: 'tombstone', session, tombstone, signature });
    expect(rig.events()).toEqual([
      { type: 'not-here', destination },
      { type: 'tombstone', tombstone, signature },
    ]);
    rig.client.sendTombstone(tombstone, signature);
    expect(rig.sent()).toEqual([{ type: 'tombstone', session, tombstone, signature }]);
  });

  it('says that a server is lost whose key is none', () => {
    const rig = new Rig('udp', fill(32, 0)).started();
    expect(rig.events()).toEqual([{ type: 'lost' }]);
    expect(rig.sent()).toEqual([]);
    expect(rig.client.pollTimeout()).toBeUndefined();
  });

  it('is silent after its end', () => {
    const rig = new Rig().started();
    rig.register();
    rig.client.stop();
    expect(rig.events()).toEqual([]);
    expect(rig.client.pollTimeout()).toBeUndefined();
    expect(rig.take({ type: 'unknown-session', session: fill(8, 2) })).toBe(false);
  });

  it('passes on so many tombstones a second, each of which costs a signature to verify', () => {
    const rig = new Rig().started();
    rig.register();
    rig.events();
    const flood = (count: number): number => {
      let told = 0;
      for (let i = 0; i < count; i++) {
        rig.take({ type: 'tombstone', session: fill(8, 2), tombstone: fill(150, i), signature: fill(64, i) });
        told += rig.events().length;
      }
      return told;
    };
    expect(flood(5_000)).toBe(256);
    rig.now = instant(rig.now + 1_000);
    expect(flood(5_000)).toBe(10);
  });
});
