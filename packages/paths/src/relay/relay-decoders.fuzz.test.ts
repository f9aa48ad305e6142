import { concatBytes, type Endpoint, equalBytes } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { boxesReady, precomputeBoxKey } from '@warren/crypto/boxes';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type RelayFrame } from './frames.js';
import { openRegistered, opensRegister, sealRegister } from './registration-box.js';
import { encodeStreamFrame, StreamFrames } from './stream-frames.js';

const fill = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);
const [nonce, session, relayId, destination, cookie] = [fill(8), fill(8), fill(8), fill(8), fill(16)];
const seen = '192.0.2.1:1' as Endpoint;
const frames: readonly RelayFrame[] = [
  { type: 'hello', nonce },
  { type: 'challenge', nonce, cookie },
  { type: 'register', nonce, cookie, ticket: fill(150), box: fill(81) },
  { type: 'registered', nonce, box: fill(78) },
  { type: 'refused', nonce, reason: 'full' },
  { type: 'alive?', session, sequence: 1 },
  { type: 'alive', session, sequence: 1, seen },
  { type: 'alive', session, sequence: 1, seen: '[2001:db8::1]:1' as Endpoint },
  { type: 'unknown-session', session },
  { type: 'send', session, relayId, datagram: fill(40) },
  { type: 'deliver', session, relayId, datagram: fill(40) },
  { type: 'not-here', session, destination },
  { type: 'tombstone', session, tombstone: fill(150), signature: fill(64) },
];

describe('decoders of the relay fed with garbage', () => {
  it('take frames in their one encoding only', { timeout: FUZZ_TIMEOUT }, () => {
    const taken = new Map<string, number>();
    for (const bytes of mutants(frames.map(encodeFrame))) {
      const frame = decodeFrame(bytes);
      if (!frame) continue;
      taken.set(frame.type, (taken.get(frame.type) ?? 0) + 1);
      if (!equalBytes(encodeFrame(frame), bytes)) expect.unreachable(`not canonical: ${bytes.join(' ')}`);
    }
    for (const { type } of frames) expect(taken.get(type), type).toBeGreaterThan(100);
  });

  it('cut streams into frames and hold no more than one', { timeout: FUZZ_TIMEOUT }, () => {
    const right = frames.map((frame) => encodeStreamFrame(encodeFrame(frame)));
    const stream = new StreamFrames();
    let [bytesIn, bytesOut] = [0, 0];
    for (const bytes of mutants(right)) {
      bytesIn += bytes.length;
      stream.take(bytes, (frame) => {
        bytesOut += frame.length + 2;
      });
      if (bytesIn - bytesOut > 65_537) expect.unreachable('holds more than one frame');
    }
    expect(bytesOut).toBeGreaterThan(0);
  });

  it('open no box that nobody sealed', { timeout: FUZZ_TIMEOUT }, async () => {
    await boxesReady;
    const key = precomputeBoxKey(fill(32, 9), fill(32, 7))!;
    const terms = { nonce, cookie, ticket: fill(150, 5) };
    const box = sealRegister(key, fill(24), terms);
    let runs = 0;
    for (const bytes of mutants([box])) {
      // Each costs a MAC in WebAssembly; the shape of the plaintext is what is fuzzed, and no other opens at all.
      if (++runs % 20 !== 0) continue;
      if (openRegistered(key, bytes, nonce)) expect.unreachable('a register is no registered');
      if (opensRegister(key, bytes, terms) && !equalBytes(bytes, box)) expect.unreachable('opened');
    }
    expect(opensRegister(key, box, terms)).toBe(true);
    expect(opensRegister(key, concatBytes(box, fill(1)), terms)).toBe(false);
  });
});
