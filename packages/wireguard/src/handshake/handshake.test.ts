import { instant, isDrop, toHex, type UnixMillis, unixMillis } from '@warren/base';
import { nobleProvider as crypto } from '@warren/crypto';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_BURST_PER_SOURCE, HANDSHAKES_PER_SECOND_AND_SOURCE } from '../constants.js';
import { seededRandom } from '../testing/two-devices.js';
import { CookieChecker, CookieGenerator } from './cookie.js';
import { decodeCookieReply, decodeInitiation, decodeResponse, type Initiation, type Response } from './messages.js';
import { consumeInitiation, consumeResponse, createInitiation, createResponse, type RemoteKeys } from './noise.js';
import { LoadMeter, RateLimiter } from './rate-limiter.js';
import { isLater, TimestampSource } from './tai64n.js';

const random = seededRandom(1);
const staticKeys = (privateKey: Uint8Array) => ({ privateKey, publicKey: crypto.publicKey(privateKey) });
const must = <T>(value: T | { readonly drop: true; readonly reason: string }): T => {
  if (isDrop(value)) throw new Error(value.reason);
  return value as T;
};

describe('Noise_IKpsk2', () => {
  const [initiator, responder] = [staticKeys(random(32)), staticKeys(random(32))];
  const presharedKey = random(32);
  const remote = (staticKey: Uint8Array, own: Uint8Array, psk = presharedKey): RemoteKeys => ({
    staticKey,
    presharedKey: psk,
    staticStatic: () => crypto.dh(own, staticKey),
  });
  const atInitiator = remote(responder.publicKey, initiator.privateKey);
  const atResponder = remote(initiator.publicKey, responder.privateKey);
  const timestamp = new TimestampSource().next(unixMillis(1_700_000_000_000));

  const create = () =>
    must(
      createInitiation(crypto, initiator, atInitiator, {
        ephemeralPrivate: random(32),
        timestamp,
        localIndex: 0x11223344,
      }),
    );
  const consume = (datagram: Uint8Array) =>
    consumeInitiation(crypto, responder, must<Initiation>(decodeInitiation(datagram)), (staticKey) =>
      toHex(staticKey) === toHex(initiator.publicKey) ? atResponder : undefined,
    );
  const respond = (datagram: Uint8Array) =>
    must(createResponse(crypto, must(consume(datagram)), { ephemeralPrivate: random(32), localIndex: 0x55667788 }));

  it('gives both sides the same two keys, and the responder the timestamp', () => {
    const { datagram, pending } = create();
    const consumed = must(consume(datagram));
    expect(consumed.timestamp).toEqual(timestamp);
    expect(consumed.senderIndex).toBe(0x11223344);
    const { datagram: answer, keys } = respond(datagram);
    const message = must<Response>(decodeResponse(answer));
    expect([message.receiverIndex, message.senderIndex]).toEqual([0x11223344, 0x55667788]);
    const ours = must(consumeResponse(crypto, initiator, presharedKey, pending, message));
    expect(ours.fromInitiator).toEqual(keys.fromInitiator);
    expect(ours.fromResponder).toEqual(keys.fromResponder);
    expect(ours.fromInitiator).not.toEqual(ours.fromResponder);
  });

  it('refuses an initiation with any byte changed, a stranger’s, and one for another responder', () => {
    const { datagram } = create();
    for (let at = 8; at < 116; at++) {
      const changed = datagram.slice();
      changed[at]! ^= 0x20;
      expect(isDrop(consume(changed))).toBe(true);
    }
    const stranger = staticKeys(random(32));
    const fresh = { ephemeralPrivate: random(32), timestamp, localIndex: 1 };
    const theirs = remote(responder.publicKey, stranger.privateKey);
    expect(consume(must(createInitiation(crypto, stranger, theirs, fresh)).datagram)).toMatchObject({
      reason: 'unknown-peer',
    });
    const elsewhere = remote(stranger.publicKey, initiator.privateKey);
    expect(consume(must(createInitiation(crypto, initiator, elsewhere, fresh)).datagram)).toMatchObject({
      reason: 'handshake-not-authentic',
    });
  });

  it('proves both static keys: knowing only the initiator’s public key is not enough', () => {
    const impostor = { privateKey: random(32), publicKey: initiator.publicKey };
    const fresh = { ephemeralPrivate: random(32), timestamp, localIndex: 1 };
    const claimed = remote(responder.publicKey, impostor.privateKey);
    const { datagram } = must(createInitiation(crypto, impostor, claimed, fresh));
    expect(consume(datagram)).toMatchObject({ reason: 'handshake-not-authentic' });
  });

  it('refuses a response with any byte changed, and takes the right one afterwards', () => {
    const { datagram, pending } = create();
    const { datagram: answer } = respond(datagram);
    for (let at = 12; at < 60; at++) {
      const changed = answer.slice();
      changed[at]! ^= 0x20;
      expect(isDrop(consumeResponse(crypto, initiator, presharedKey, pending, must(decodeResponse(changed))))).toBe(
        true,
      );
    }
    const lowOrder = answer.slice().fill(0, 12, 44);
    expect(consumeResponse(crypto, initiator, presharedKey, pending, must(decodeResponse(lowOrder)))).toMatchObject({
      reason: 'low-order-public-key',
    });
    expect(isDrop(consumeResponse(crypto, initiator, random(32), pending, must(decodeResponse(answer))))).toBe(true);
    must(consumeResponse(crypto, initiator, presharedKey, pending, must(decodeResponse(answer))));
  });

  it('overwrites the initiator’s ephemeral key once the response is consumed', () => {
    const { datagram, pending } = create();
    must(consumeResponse(crypto, initiator, presharedKey, pending, must(decodeResponse(respond(datagram).datagram))));
    expect(pending.ephemeralPrivate).toEqual(new Uint8Array(32));
  });
});

describe('TAI64N', () => {
  const at = (ms: number): UnixMillis => unixMillis(ms);

  it('counts TAI seconds from 2^62 and rounds nanoseconds down to 2^24', () => {
    expect(toHex(new TimestampSource().next(at(0)))).toBe('400000000000000a00000000');
    expect(toHex(new TimestampSource().next(at(1_000)))).toBe('400000000000000b00000000');
    expect(toHex(new TimestampSource().next(at(1_700_000_000_999)))).toBe('400000006553f10a3b000000');
    expect(toHex(new TimestampSource().next(at(2 ** 32 * 1000)))).toBe('400000010000000a00000000');
  });

  it('always grows, also when asked twice in a millisecond or when the clock is set back', () => {
    const source = new TimestampSource();
    const clocks = [5_000, 5_000, 5_001, 4_000, 0, 5_000, ...Array(100).fill(5_000), 5_999, 6_000, 100_000];
    let last = new Uint8Array(12);
    for (const clock of clocks) {
      const next = Uint8Array.from(source.next(at(clock)));
      expect(isLater(next, last)).toBe(true);
      expect(isLater(last, next)).toBe(false);
      expect(new DataView(next.buffer).getUint32(8)).toBeLessThan(1_000_000_000);
      last = next;
    }
  });

  it('is not later than itself', () => {
    const label = new TimestampSource().next(at(5));
    expect(isLater(label, label.slice())).toBe(false);
  });
});

describe('cookies', () => {
  const publicKey = random(32);
  const source = Uint8Array.of(192, 0, 2, 1, 0x12, 0x34);

  it('change with every bit of address and port, and with the secret every two minutes', () => {
    const checker = new CookieChecker(crypto, random, publicKey);
    const generator = new CookieGenerator(crypto, publicKey);
    const datagram = random(148);
    generator.addMacs(datagram, instant(0));
    expect(checker.checkMac1(datagram)).toBe(true);
    expect(checker.checkMac2(datagram, source, instant(0))).toBe(false);
    const reply = must(decodeCookieReply(checker.createReply(datagram, source, instant(0))));
    expect(generator.consumeReply(reply, instant(0))).toBeUndefined();
    generator.addMacs(datagram, instant(1));
    expect(checker.checkMac2(datagram, source, instant(1))).toBe(true);
    for (let bit = 0; bit < 48; bit++) {
      const other = source.slice();
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(checker.checkMac2(datagram, other, instant(1))).toBe(false);
    }
    checker.createReply(datagram, source, instant(119_999));
    expect(checker.checkMac2(datagram, source, instant(119_999))).toBe(true);
    checker.createReply(datagram, source, instant(120_000));
    expect(checker.checkMac2(datagram, source, instant(120_000))).toBe(false);
  });

  it('are sealed anew each time: two replies never share a nonce', () => {
    const checker = new CookieChecker(crypto, random, publicKey);
    const replies = Array.from({ length: 50 }, () =>
      toHex(checker.createReply(random(148), source, instant(0)).subarray(8, 32)),
    );
    expect(new Set(replies).size).toBe(50);
  });
});

describe('rate limiter', () => {
  const v4 = (last: number, port = 1): Uint8Array => Uint8Array.of(10, 0, 0, last, port >> 8, port);

  it('allows a burst, then a steady rate, whatever the port', () => {
    const limiter = new RateLimiter();
    const allowed = (from: number, to: number, step: number): number => {
      let count = 0;
      for (let now = from; now < to; now += step) if (limiter.allow(v4(1, now), instant(now))) count += 1;
      return count;
    };
    expect(Array.from({ length: 10 }, (_, i) => limiter.allow(v4(1, i), instant(0))).filter(Boolean)).toHaveLength(
      HANDSHAKE_BURST_PER_SOURCE,
    );
    expect(allowed(5, 1005, 5)).toBe(HANDSHAKES_PER_SECOND_AND_SOURCE);
    expect(limiter.allow(v4(2), instant(500))).toBe(true);
  });

  it('takes the addresses of an IPv6 /64 for one, of two for two', () => {
    const limiter = new RateLimiter();
    const v6 = (network: number, host: number): Uint8Array => {
      const source = new Uint8Array(18);
      source[7] = network;
      source[15] = host;
      return source;
    };
    const burst = Array.from({ length: 10 }, (_, host) => limiter.allow(v6(1, host), instant(0)));
    expect(burst.filter(Boolean)).toHaveLength(HANDSHAKE_BURST_PER_SOURCE);
    expect(limiter.allow(v6(2, 0), instant(0))).toBe(true);
  });

  it('forgets sources that were silent for a second', () => {
    const limiter = new RateLimiter();
    for (let i = 0; i < 100; i++) limiter.allow(v4(i), instant(0));
    expect(limiter.size).toBe(100);
    limiter.allow(v4(200), instant(1000));
    expect(limiter.size).toBe(1);
  });
});

describe('load meter', () => {
  it('is forced by the shell, and lets go when the shell does', () => {
    const meter = new LoadMeter();
    expect(meter.note(instant(0))).toBe(false);
    meter.forced = true;
    expect(meter.note(instant(1))).toBe(true);
    meter.forced = false;
    expect(meter.note(instant(2))).toBe(false);
  });
});
