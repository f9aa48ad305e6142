import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { fromHex, isDrop, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { attributeValue, readSoftware, readXorMappedAddress } from './attributes.js';
import { ATTRIBUTE, BINDING_METHOD } from './constants.js';
import { checkIntegrity } from './integrity.js';
import { decodeMessage, encodeMessage, isStunMessage, type StunMessage } from './message.js';

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(/\s/g, ''))!;
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));
const TRANSACTION = 'b7e7a701bc34d686fa87dfae';
const PASSWORD = text('VOkJxbRl1RmTxUk/WvJxBt');

function decoded(vector: Uint8Array): StunMessage {
  const message = decodeMessage(vector);
  if (isDrop(message)) throw new Error(message.reason);
  return message;
}

/** RFC 5769 §2.1. Its padding is spaces. */
const REQUEST = bytes(`
  00010058 2112a442 ${TRANSACTION}
  80220010 5354554e207465737420636c69656e74
  00240004 6e0001ff
  80290008 932ff9b151263b36
  00060009 6576746a3a68367659 202020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`);
/** RFC 5769 §2.2. */
const IPV4_RESPONSE = bytes(`
  0101003c 2112a442 ${TRANSACTION}
  8022000b 7465737420766563746f72 20
  00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
  80280004 c07d4c96`);
/** RFC 5769 §2.3. */
const IPV6_RESPONSE = bytes(`
  01010048 2112a442 ${TRANSACTION}
  8022000b 7465737420766563746f72 20
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`);
/** RFC 5769 §2.4. */
const LONG_TERM_REQUEST = bytes(`
  00010060 2112a442 78ad3433c6ad72c029da412e
  00060012 e3839ee38388e383aae38383e382afe382b9 0000
  0015001c 662f2f3439396b3935346436 4f4c33346f4c39465354767936347341
  0014000b 6578616d706c652e6f7267 00
  00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`);

describe('RFC 5769', () => {
  it('§2.1: the sample request, its integrity and fingerprint', () => {
    const message = decoded(REQUEST);
    expect(message).toMatchObject({ class: 'request', method: BINDING_METHOD });
    expect(toHex(message.transactionId)).toBe(TRANSACTION);
    expect(readSoftware(message)).toBe('STUN test client');
    expect(message.attributes.map(({ type }) => type)).toEqual([0x8022, 0x0024, 0x8029, 0x0006, 0x0008, 0x8028]);
    expect(checkIntegrity(REQUEST, PASSWORD)).toBe('right');
    expect(checkIntegrity(REQUEST, text('another'))).toBe('wrong');
    expect(checkIntegrity(REQUEST, PASSWORD, 'sha256')).toBe('absent');
  });

  it.each([
    ['§2.2', IPV4_RESPONSE, '192.0.2.1'],
    ['§2.3', IPV6_RESPONSE, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('%s: a response and the address in it', (_, vector, address) => {
    const message = decoded(vector);
    expect(message).toMatchObject({ class: 'success', method: BINDING_METHOD });
    expect(readSoftware(message)).toBe('test vector');
    expect(readXorMappedAddress(message)).toEqual({ address, port: 32_853 });
    expect(checkIntegrity(vector, PASSWORD)).toBe('right');
  });

  it('§2.4: a request with long-term credentials, and encoding it to the byte', () => {
    const name = Buffer.from('マトリックス:example.org:TheMatrIX');
    const key = Uint8Array.from(createHash('md5').update(name).digest());
    expect(checkIntegrity(LONG_TERM_REQUEST, key)).toBe('right');
    const message = decoded(LONG_TERM_REQUEST);
    const attributes = message.attributes.filter(({ type }) => type !== ATTRIBUTE['MESSAGE-INTEGRITY']);
    expect(encodeMessage({ ...message, attributes }, { integrityKey: key })).toEqual(LONG_TERM_REQUEST);
  });

  it('one changed bit anywhere is noticed', () => {
    for (let bit = 0; bit < REQUEST.length * 8; bit++) {
      const changed = REQUEST.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const message = decodeMessage(changed);
      // Its own type may have been changed, and then it is another attribute.
      expect(isDrop(message) || attributeValue(message, 'FINGERPRINT') === undefined).toBe(true);
    }
    const noFingerprint = LONG_TERM_REQUEST.slice();
    noFingerprint[30]! ^= 1;
    const key = Uint8Array.from(createHash('md5').update('マトリックス:example.org:TheMatrIX').digest());
    expect(checkIntegrity(noFingerprint, key)).toBe('wrong');
  });
});

describe('integrity by SHA-256 (RFC 8489 §14.6)', () => {
  const message: StunMessage = {
    class: 'request',
    method: BINDING_METHOD,
    transactionId: bytes(TRANSACTION),
    attributes: [{ type: ATTRIBUTE.USERNAME, value: text('someone') }],
  };

  it('is what another implementation computes, with the fingerprint behind it', () => {
    const encoded = encodeMessage(message, { integrityKey: PASSWORD, integritySha256Key: PASSWORD, fingerprint: true });
    expect(checkIntegrity(encoded, PASSWORD)).toBe('right');
    expect(checkIntegrity(encoded, PASSWORD, 'sha256')).toBe('right');
    const at = encoded.length - 8 - 36;
    const covered = Buffer.from(encoded.subarray(0, at));
    covered.writeUInt16BE(at + 36 - 20, 2);
    const expected = createHmac('sha256', PASSWORD).update(covered).digest('hex');
    expect(toHex(encoded.subarray(at + 4, at + 36))).toBe(expected);
    if (!crc32) return; // Node 20.15 and later
    const crc = (crc32(encoded.subarray(0, encoded.length - 8)) ^ 0x5354554e) >>> 0;
    expect(new DataView(encoded.buffer).getUint32(encoded.length - 4)).toBe(crc);
  });

  it('may be cut to sixteen bytes, not below', () => {
    const cut = (length: number): Uint8Array => {
      const whole = encodeMessage({
        ...message,
        attributes: [...message.attributes, { type: 0x1c, value: new Uint8Array(length) }],
      });
      const at = whole.length - length;
      whole.set(
        createHmac('sha256', PASSWORD)
          .update(whole.subarray(0, at - 4))
          .digest()
          .subarray(0, length),
        at,
      );
      return whole;
    };
    expect(checkIntegrity(cut(16), PASSWORD, 'sha256')).toBe('right');
    expect(checkIntegrity(cut(12), PASSWORD, 'sha256')).toBe('wrong');
  });

  it('lets nothing through that was put behind it, but a stronger one and the fingerprint', () => {
    const signed = encodeMessage(message, { integrityKey: PASSWORD });
    const mac = signed.slice(-20);
    const attributes = [...message.attributes, { type: 0x08, value: mac }, { type: ATTRIBUTE.PADDING, value: mac }];
    const withMore = decoded(encodeMessage({ ...message, attributes }, { fingerprint: true }));
    expect(withMore.attributes.map(({ type }) => type)).toEqual([0x06, 0x08, 0x8028]);
  });
});

describe('what is STUN', () => {
  it('is told by two bits, cookie and exact length', () => {
    expect(isStunMessage(REQUEST)).toBe(true);
    expect(isStunMessage(REQUEST.subarray(0, -4))).toBe(false);
    expect(isStunMessage(Uint8Array.of(...REQUEST, 0, 0, 0, 0))).toBe(false);
    for (const [at, value] of [
      [0, 0x40],
      [4, 0x20],
      [7, 0x43],
    ] as const) {
      const changed = REQUEST.slice();
      changed[at] = value;
      expect(isStunMessage(changed)).toBe(false);
    }
    // WireGuard's initiation, response, cookie reply and transport data begin like this.
    for (const type of [1, 2, 3, 4])
      expect(isStunMessage(Uint8Array.of(type, 0, 0, 0, ...new Uint8Array(28)))).toBe(false);
  });
});
