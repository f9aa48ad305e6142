import { concatBytes, type Endpoint, fromHex, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeFrame,
  hasBytesAt,
  isDeliver,
  RELAY_ID_OFFSET,
  type RelayFrame,
  SESSION_OFFSET,
  writeSendHeader,
} from './frames.js';

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const nonce = fill(8, 1);
const session = fill(8, 2);
const relayId = fill(8, 3);
const cookie = fill(16, 4);

const FRAMES: readonly [RelayFrame, string][] = [
  [{ type: 'hello', nonce }, `a0000000${'01'.repeat(8)}${'00'.repeat(52)}`],
  [{ type: 'challenge', nonce, cookie }, `a1000000${'01'.repeat(8)}${'04'.repeat(16)}`],
  [
    { type: 'register', nonce, cookie, ticket: fill(3, 5), box: fill(81, 6) },
    `a2000000${'01'.repeat(8)}${'04'.repeat(16)}0003050505${'06'.repeat(81)}`,
  ],
  [{ type: 'registered', nonce, box: fill(66, 6) }, `a3000000${'01'.repeat(8)}${'06'.repeat(66)}`],
  [{ type: 'refused', nonce, reason: 'revoked' }, `a4000000${'01'.repeat(8)}03`],
  [{ type: 'alive?', session, sequence: 0xfffefdfc }, `a5000000${'02'.repeat(8)}fffefdfc${'00'.repeat(20)}`],
  [
    { type: 'alive', session, sequence: 7, seen: '192.0.2.1:258' as Endpoint },
    `a6000000${'02'.repeat(8)}00000007040102c0000201`,
  ],
  [
    { type: 'alive', session, sequence: 7, seen: '[2001:db8::1]:258' as Endpoint },
    `a6000000${'02'.repeat(8)}0000000706010220010db8000000000000000000000001`,
  ],
  [{ type: 'unknown-session', session }, `a7000000${'02'.repeat(8)}`],
  [{ type: 'send', session, relayId, datagram: fill(2, 9) }, `a8000000${'02'.repeat(8)}${'03'.repeat(8)}0909`],
  [{ type: 'deliver', session, relayId, datagram: fill(0, 9) }, `a9000000${'02'.repeat(8)}${'03'.repeat(8)}`],
  [{ type: 'not-here', session, destination: relayId }, `aa000000${'02'.repeat(8)}${'03'.repeat(8)}`],
  [
    { type: 'tombstone', session, tombstone: fill(2, 7), signature: fill(64, 8) },
    `ab000000${'02'.repeat(8)}00020707${'08'.repeat(64)}`,
  ],
];

describe('frames between agent and signal server', () => {
  it.each(FRAMES)('$type has the bytes of the protocol page and is read back', (frame, hex) => {
    expect(toHex(encodeFrame(frame))).toBe(hex);
    expect(decodeFrame(fromHex(hex)!)).toEqual(frame);
  });

  it.each(FRAMES)('$type is taken in no other length and with no other header', (frame) => {
    const bytes = encodeFrame(frame);
    const open = frame.type === 'send' || frame.type === 'deliver';
    if (!open) {
      expect(decodeFrame(bytes.subarray(0, -1))).toBeUndefined();
      expect(decodeFrame(concatBytes(bytes, fill(1, 0)))).toBeUndefined();
    }
    for (const at of [1, 2, 3]) {
      const changed = bytes.slice();
      changed[at] = 1;
      expect(decodeFrame(changed)).toBeUndefined();
    }
  });

  it('leave no room in their padding', () => {
    for (const frame of [FRAMES[0]![0], FRAMES[5]![0]]) {
      const bytes = encodeFrame(frame);
      bytes[bytes.length - 1] = 1;
      expect(decodeFrame(bytes)).toBeUndefined();
    }
  });

  it('know five refusals and no sixth', () => {
    for (const [byte, known] of [
      [0, false],
      [1, true],
      [5, true],
      [6, false],
    ] as const) {
      expect(decodeFrame(concatBytes(fromHex('a4000000')!, nonce, fill(1, byte))) !== undefined).toBe(known);
    }
  });

  it('are answered before registration with nothing longer than the question', () => {
    const length = (frame: RelayFrame): number => encodeFrame(frame).length;
    const box = fill(78, 0);
    expect(length({ type: 'challenge', nonce, cookie })).toBeLessThanOrEqual(length({ type: 'hello', nonce }));
    const register = length({ type: 'register', nonce, cookie, ticket: fill(64, 0), box: fill(81, 0) });
    expect(length({ type: 'registered', nonce, box })).toBeLessThanOrEqual(register);
    const alive = length({ type: 'alive', session, sequence: 1, seen: '[2001:db8::1]:1' as Endpoint });
    expect(alive).toBeLessThanOrEqual(length({ type: 'alive?', session, sequence: 1 }));
    const shortest = length({ type: 'send', session, relayId, datagram: fill(0, 0) });
    expect(length({ type: 'not-here', session, destination: relayId })).toBeLessThanOrEqual(shortest);
    expect(length({ type: 'unknown-session', session })).toBeLessThanOrEqual(shortest);
  });

  it('have their header written and read in place', () => {
    const header = fill(20, 0xff);
    writeSendHeader(header, session, relayId);
    expect(decodeFrame(header)).toEqual({ type: 'send', session, relayId, datagram: fill(0, 0) });
    expect(isDeliver(header)).toBe(false);
    header[0] = 0xa9;
    expect(isDeliver(header)).toBe(true);
    expect(isDeliver(header.subarray(0, 19))).toBe(false);
    expect(hasBytesAt(header, SESSION_OFFSET, session)).toBe(true);
    expect(hasBytesAt(header, RELAY_ID_OFFSET, session)).toBe(false);
    expect(hasBytesAt(header, 16, session)).toBe(false);
  });
});
