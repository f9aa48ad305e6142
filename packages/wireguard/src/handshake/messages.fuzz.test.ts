import { type Drop, isDrop } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/two-devices.js';
import {
  COOKIE_REPLY_LENGTH,
  decodeCookieReply,
  decodeInitiation,
  decodeResponse,
  decodeTransportHeader,
  encodeCookieReply,
  encodeInitiation,
  encodeResponse,
  INITIATION_LENGTH,
  MESSAGE_TYPE,
  messageType,
  RESPONSE_LENGTH,
  TRANSPORT_MIN_LENGTH,
  writeTransportHeader,
} from './messages.js';

const INPUTS = process.env.WARREN_SOAK ? 10_000_000 : 200_000;
const SEED = Number(process.env.WARREN_SEED ?? 1);
const LENGTHS = [0, 1, 3, 4, 5, 31, 32, 33, 63, 64, 65, 91, 92, 93, 147, 148, 149, 200] as const;

interface Codec {
  readonly name: string;
  readonly type: number;
  readonly fits: (length: number) => boolean;
  /** Encodes again what was decoded, and says how many bytes of it the message covers. */
  readonly again: (datagram: Uint8Array) => { readonly bytes: Uint8Array; readonly covers: number } | Drop;
}

const CODECS: readonly Codec[] = [
  {
    name: 'initiation',
    type: MESSAGE_TYPE.initiation,
    fits: (length) => length === INITIATION_LENGTH,
    again: (datagram) => {
      const message = decodeInitiation(datagram);
      return isDrop(message) ? message : { bytes: encodeInitiation(message), covers: 116 };
    },
  },
  {
    name: 'response',
    type: MESSAGE_TYPE.response,
    fits: (length) => length === RESPONSE_LENGTH,
    again: (datagram) => {
      const message = decodeResponse(datagram);
      return isDrop(message) ? message : { bytes: encodeResponse(message), covers: 60 };
    },
  },
  {
    name: 'cookie reply',
    type: MESSAGE_TYPE.cookieReply,
    fits: (length) => length === COOKIE_REPLY_LENGTH,
    again: (datagram) => {
      const message = decodeCookieReply(datagram);
      return isDrop(message) ? message : { bytes: encodeCookieReply(message), covers: COOKIE_REPLY_LENGTH };
    },
  },
  {
    name: 'transport header',
    type: MESSAGE_TYPE.transport,
    fits: (length) => length >= TRANSPORT_MIN_LENGTH,
    again: (datagram) => {
      const header = decodeTransportHeader(datagram);
      if (isDrop(header)) return header;
      const bytes = new Uint8Array(16);
      // Counters that a number cannot hold are beyond every limit; only their size matters.
      if (header.counter >= 2 ** 53) bytes.set(datagram.subarray(0, 16));
      else writeTransportHeader(bytes, header.receiverIndex, header.counter);
      return { bytes, covers: 16 };
    },
  },
];

describe.each(CODECS)('decoder of the $name', ({ type, fits, again }) => {
  it(`takes ${INPUTS} random and nearly right inputs, and loses no bit of those it accepts`, {
    timeout: 3_600_000,
  }, () => {
    const pool = seededRandom(SEED + type)(65_536);
    let accepted = 0;
    for (let i = 0; i < INPUTS; i++) {
      const length = LENGTHS[(i + (i >> 4)) % LENGTHS.length]!;
      const at = (i * 31) % (pool.length - 256);
      const datagram = pool.slice(at, at + length);
      // Two of three have the right type word, some with a reserved byte set.
      if (i % 3 && length >= 4) datagram.set([type, 0, 0, i % 7 ? 0 : 1]);
      const result = again(datagram);
      const expected = messageType(datagram) === type && fits(length);
      if (isDrop(result) === expected) expect.fail(`input ${i} of ${length} bytes: ${JSON.stringify(result)}`);
      if (isDrop(result)) continue;
      accepted += 1;
      for (let byte = 0; byte < result.covers; byte++) {
        if (result.bytes[byte] !== datagram[byte]) expect.fail(`input ${i}: byte ${byte} changed`);
      }
    }
    expect(accepted).toBeGreaterThan(INPUTS / LENGTHS.length / 3);
  });
});
