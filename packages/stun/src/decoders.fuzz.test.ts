import { isDrop, parseIpAddress } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { describe, expect, it } from 'vitest';
import {
  changeRequestAttribute,
  errorCodeAttribute,
  paddingAttribute,
  readAddress,
  readChangeRequest,
  readErrorCode,
  readResponsePort,
  readSoftware,
  readUnknownAttributes,
  readXorMappedAddress,
  responsePortAttribute,
  unknownAttributesAttribute,
  xorMappedAddressAttribute,
} from './attributes.js';
import { createBindingServer } from './binding-server.js';
import { BINDING_METHOD, MAX_ATTRIBUTES, MAX_RESPONSE_RATIO } from './constants.js';
import { createNatDiscovery } from './discovery.js';
import { checkIntegrity } from './integrity.js';
import { decodeMessage, encodeMessage, isStunMessage } from './message.js';

const here = { address: parseIpAddress('192.0.2.1')!, port: 3478 };
const there = { address: parseIpAddress('2001:db8::7')!, port: 41_234 };
const transactionId = new Uint8Array(12).fill(7);
const key = new Uint8Array(16).fill(1);
const binding = { method: BINDING_METHOD, transactionId } as const;

const request = encodeMessage({
  ...binding,
  class: 'request',
  attributes: [changeRequestAttribute({ address: false, port: true }), paddingAttribute(16)],
}); // prettier-ignore
const corpus = [
  request,
  encodeMessage({ ...binding, class: 'request', attributes: [responsePortAttribute(4000)] }, { fingerprint: true }),
  encodeMessage({ ...binding, class: 'request', attributes: [{ type: 0x24, value: key }] }),
  encodeMessage(
    { ...binding, class: 'success', attributes: [xorMappedAddressAttribute(there, transactionId)] },
    { integrityKey: key, integritySha256Key: key, fingerprint: true },
  ), // prettier-ignore
  encodeMessage({
    ...binding,
    class: 'error',
    attributes: [errorCodeAttribute({ code: 420, reason: 'Unknown' }), unknownAttributesAttribute([3, 38])],
  }), // prettier-ignore
];

describe('fed with garbage', () => {
  it('the decoders take or drop, and never throw', { timeout: FUZZ_TIMEOUT }, () => {
    let taken = 0;
    for (const bytes of mutants(corpus)) {
      const message = decodeMessage(bytes);
      checkIntegrity(bytes, key);
      if (isDrop(message)) continue;
      taken++;
      if (!isStunMessage(bytes) || message.attributes.length > MAX_ATTRIBUTES) expect.unreachable('taken, but no STUN');
      for (const read of [
        readXorMappedAddress,
        readErrorCode,
        readUnknownAttributes,
        readSoftware,
        readChangeRequest,
        readResponsePort,
      ])
        read(message); // prettier-ignore
      readAddress(message, 'OTHER-ADDRESS');
    }
    expect(taken).toBeGreaterThan(1000);
  });

  it('the server answers only to the sender’s address, and never with more than it may', {
    timeout: FUZZ_TIMEOUT,
  }, () => {
    const alternate = { address: there.address, port: 3479 };
    const server = createBindingServer({ sockets: { primary: { ...there, port: 3478 }, 'alternate-port': alternate } });
    let answers = 0;
    for (const bytes of mutants(corpus)) {
      const answer = server.answer(bytes, there, 'primary');
      if (!answer) continue;
      answers++;
      if (answer.datagram.length > bytes.length * MAX_RESPONSE_RATIO)
        expect.unreachable(`too long: ${bytes.join(' ')}`);
      if (answer.to.address !== there.address) expect.unreachable('to somebody else');
      if (server.answer(answer.datagram, there, 'primary')) expect.unreachable('answered an answer');
    }
    expect(answers).toBeGreaterThan(1000);
  });

  it('a discovery goes on to its end', { timeout: FUZZ_TIMEOUT }, () => {
    const options = { servers: [{ id: 'a', endpoint: here }], localAddresses: [], random: () => transactionId };
    let discovery = createNatDiscovery({ ...options, now: 0 as never });
    let now = 0;
    let finished = 0;
    for (const bytes of mutants(corpus)) {
      discovery.handleDatagram(now % 7, bytes, here, now as never);
      discovery.handleTimeout(++now as never);
      while (discovery.pollTransmit());
      if (!discovery.result()) continue;
      finished++;
      discovery = createNatDiscovery({ ...options, now: now as never });
    }
    expect(finished).toBeGreaterThan(0);
  });
});
