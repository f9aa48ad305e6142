import { type IpAddress, ipFromBytes, isDrop } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressAttribute,
  changeRequestAttribute,
  errorCodeAttribute,
  readAddress,
  readChangeRequest,
  readErrorCode,
  readResponsePort,
  readUnknownAttributes,
  readXorMappedAddress,
  responsePortAttribute,
  unknownAttributesAttribute,
  xorMappedAddressAttribute,
} from './attributes.js';
import { checkIntegrity } from './integrity.js';
import { decodeMessage, encodeMessage, type StunAttribute, type StunMessage } from './message.js';

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const address: fc.Arbitrary<IpAddress> = fc.oneof(exactly(4), exactly(16)).map(ipFromBytes);
const endpoint = fc.record({ address, port: fc.integer({ min: 0, max: 65_535 }) });
const plainAttribute: fc.Arbitrary<StunAttribute> = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }).filter((type) => ![0x0008, 0x001c, 0x8028].includes(type)),
  value: fc.uint8Array({ maxLength: 40 }),
});
const message: fc.Arbitrary<StunMessage> = fc.record({
  class: fc.constantFrom('request', 'indication', 'success', 'error'),
  method: fc.integer({ min: 0, max: 0xfff }),
  transactionId: exactly(12),
  attributes: fc.array(plainAttribute, { maxLength: 8 }),
});

function decoded(bytes: Uint8Array): StunMessage {
  const result = decodeMessage(bytes);
  if (isDrop(result)) throw new Error(result.reason);
  return result;
}

describe('any message', () => {
  it('comes back as it was, its tail authentic', () => {
    fc.assert(
      fc.property(message, exactly(20), fc.boolean(), (original, key, fingerprint) => {
        const bytes = encodeMessage(original, { integrityKey: key, integritySha256Key: key, fingerprint });
        const { attributes, ...head } = decoded(bytes);
        expect({ ...head, attributes: attributes.slice(0, original.attributes.length) }).toEqual(original);
        expect(attributes).toHaveLength(original.attributes.length + (fingerprint ? 3 : 2));
        expect([checkIntegrity(bytes, key), checkIntegrity(bytes, key, 'sha256')]).toEqual(['right', 'right']);
      }),
    );
  });

  it('carries addresses, changes, ports and errors unharmed', () => {
    const types = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 9 });
    const flags = fc.record({ address: fc.boolean(), port: fc.boolean() });
    const code = fc.integer({ min: 300, max: 699 });
    fc.assert(
      fc.property(message, endpoint, types, flags, code, (original, at, unknown, change, error) => {
        const attributes = [
          addressAttribute('MAPPED-ADDRESS', at),
          addressAttribute('OTHER-ADDRESS', at),
          xorMappedAddressAttribute(at, original.transactionId),
          unknownAttributesAttribute(unknown),
          changeRequestAttribute(change),
          responsePortAttribute(at.port),
          errorCodeAttribute({ code: error, reason: 'No Way' }),
        ];
        const result = decoded(encodeMessage({ ...original, attributes }));
        expect(readAddress(result, 'MAPPED-ADDRESS')).toEqual(at);
        expect(readAddress(result, 'OTHER-ADDRESS')).toEqual(at);
        expect(readAddress(result, 'RESPONSE-ORIGIN')).toBeUndefined();
        expect(readXorMappedAddress(result)).toEqual(at);
        expect(readUnknownAttributes(result)).toEqual(unknown);
        expect(readChangeRequest(result)).toEqual(change);
        expect(readResponsePort(result)).toBe(at.port || undefined);
        expect(readErrorCode(result)).toEqual({ code: error, reason: 'No Way' });
      }),
    );
  });
});
