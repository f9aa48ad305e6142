import { equalBytes, type IpAddress } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { describe, expect, it } from 'vitest';
import { decodeNatPmpResponse, encodeNatPmpResponse } from './nat-pmp.js';
import { decodePcpMapResponse, encodePcpMapResponse } from './pcp.js';
import { parseDescription, parseSoap, parseSsdpAnswer } from './upnp.js';

const pcp = encodePcpMapResponse({
  result: 0,
  lifetimeS: 3600,
  epochS: 77,
  nonce: new Uint8Array(12).fill(9),
  internalPort: 51_820,
  externalPort: 40_000,
  externalAddress: '203.0.113.7' as IpAddress,
});
const natPmp = [
  encodeNatPmpResponse({ type: 'mapped', result: 0, epochS: 1, internalPort: 2, externalPort: 3, lifetimeS: 4 }),
  encodeNatPmpResponse({ type: 'external-address', result: 0, epochS: 1, externalAddress: '1.2.3.4' as IpAddress }),
  encodeNatPmpResponse({ type: 'refused', opcode: 1, result: 2, epochS: 1 }),
];

describe('decoders of what a gateway says, fed with garbage', () => {
  it('take PCP responses with nothing lost', { timeout: FUZZ_TIMEOUT }, () => {
    let taken = 0;
    for (const bytes of mutants([pcp])) {
      const response = decodePcpMapResponse(bytes);
      if (!response) continue;
      taken++;
      expect(decodePcpMapResponse(encodePcpMapResponse(response))).toEqual(response);
    }
    expect(taken).toBeGreaterThan(1000);
  });

  it('take NAT-PMP responses in their one encoding only', { timeout: FUZZ_TIMEOUT }, () => {
    let taken = 0;
    for (const bytes of mutants(natPmp)) {
      const response = decodeNatPmpResponse(bytes);
      if (!response) continue;
      taken++;
      if (!equalBytes(encodeNatPmpResponse(response), bytes)) expect.unreachable(bytes.join(' '));
    }
    expect(taken).toBeGreaterThan(1000);
  });

  it('read any text without throwing', { timeout: FUZZ_TIMEOUT }, () => {
    const texts = [
      'HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLocation: http://a/b\r\n\r\n',
      '<URLBase>x</URLBase><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/c</controlURL></service>',
      '<errorCode>725</errorCode><errorDescription>a</errorDescription><NewExternalIPAddress>1.2.3.4</NewExternalIPAddress>',
    ];
    const right = texts.map((text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
    let found = 0;
    for (const bytes of mutants(right)) {
      const text = String.fromCharCode(...bytes);
      if (parseSsdpAnswer(text) ?? parseDescription(text) ?? parseSoap(text).error) found++;
    }
    expect(found).toBeGreaterThan(1000);
  });
});
