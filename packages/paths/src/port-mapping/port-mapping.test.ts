import { fromHex, type IpAddress, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  encodeNatPmpResponse,
  type NatPmpResponse,
} from './nat-pmp.js';
import {
  decodePcpMapRequest,
  decodePcpMapResponse,
  encodePcpMapRequest,
  encodePcpMapResponse,
  type PcpMapResponse,
} from './pcp.js';
import { parseDescription, parseSoap, parseSsdpAnswer, renderSoap, renderSsdpSearches } from './upnp.js';

const nonce = Uint8Array.from({ length: 12 }, (_, index) => index + 1);
const ip = (text: string) => text as IpAddress;

describe('PCP (RFC 6887)', () => {
  const request = {
    clientAddress: ip('192.168.1.2'),
    nonce,
    internalPort: 51_820,
    suggestedPort: 51_820,
    suggestedAddress: undefined,
    lifetimeS: 7200,
  };
  const response: PcpMapResponse = {
    result: 0,
    lifetimeS: 3600,
    epochS: 77,
    nonce,
    internalPort: 51_820,
    externalPort: 40_000,
    externalAddress: ip('203.0.113.7'),
  };

  it('lays a MAP request out as §7.1 and §11.1 draw it', () => {
    const header = '0201000000001c2000000000000000000000ffffc0a80102';
    const map = '0102030405060708090a0b0c11000000ca6cca6c00000000000000000000ffff00000000';
    expect(toHex(encodePcpMapRequest(request))).toBe(header + map);
    expect(decodePcpMapRequest(fromHex(header + map)!)).toEqual(request);
  });

  it('reads a response, and one with options behind it', () => {
    const bytes = encodePcpMapResponse(response);
    expect(decodePcpMapResponse(bytes)).toEqual(response);
    expect(decodePcpMapResponse(Uint8Array.from([...bytes, 2, 0, 0, 0]))).toEqual(response);
    const six = { ...response, externalAddress: ip('2001:db8::5') };
    expect(decodePcpMapResponse(encodePcpMapResponse(six))).toEqual(six);
  });

  it.each([
    ['a request', () => encodePcpMapRequest(request)],
    ['another version', () => encodePcpMapResponse(response).with(0, 1)],
    ['TCP', () => encodePcpMapResponse(response).with(36, 6)],
    ['a short one', () => encodePcpMapResponse(response).slice(0, 56)],
    ['an odd length', () => Uint8Array.from([...encodePcpMapResponse(response), 0])],
    ['one that is too long', () => Uint8Array.from([...encodePcpMapResponse(response), ...new Uint8Array(1044)])],
    ['what a NAT-PMP server says to it', () => Uint8Array.of(0, 129, 0, 1, 0, 0, 0, 5)],
  ])('takes no %s for a response', (_, bytes) => {
    expect(decodePcpMapResponse(bytes())).toBeUndefined();
  });
});

describe('NAT-PMP (RFC 6886)', () => {
  it('lays its requests out as §3.2 and §3.3 draw them', () => {
    expect(toHex(encodeNatPmpAddressRequest())).toBe('0000');
    const request = { internalPort: 51_820, suggestedPort: 40_000, lifetimeS: 7200 };
    expect(toHex(encodeNatPmpMapRequest(request))).toBe('00010000ca6c9c4000001c20');
    expect(decodeNatPmpRequest(encodeNatPmpMapRequest(request))).toEqual(request);
    expect(decodeNatPmpRequest(encodeNatPmpAddressRequest())).toBe('external-address');
  });

  const responses: [string, NatPmpResponse][] = [
    [
      '008000000000004dcb007107',
      { type: 'external-address', result: 0, epochS: 77, externalAddress: ip('203.0.113.7') },
    ],
    [
      '008100000000004dca6c9c4000001c20',
      { type: 'mapped', result: 0, epochS: 77, internalPort: 51_820, externalPort: 40_000, lifetimeS: 7200 },
    ],
    ['008100020000004d', { type: 'refused', opcode: 1, result: 2, epochS: 77 }],
  ];
  it.each(responses)('reads %s', (hex, response) => {
    expect(decodeNatPmpResponse(fromHex(hex)!)).toEqual(response);
    expect(toHex(encodeNatPmpResponse(response))).toBe(hex);
  });

  it.each(['', '00', '000000000000000000000000', '0281000000000000', '0081000000000000', '008000000000004dcb00710700'])(
    'takes no "%s" for a response',
    (hex) => {
      expect(decodeNatPmpResponse(fromHex(hex)!)).toBeUndefined();
    },
  );
});

const DESCRIPTION = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><URLBase>http://192.168.1.1:5000/</URLBase><device>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<controlURL>/ctl/L3F</controlURL></service></serviceList>
<deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl/old</controlURL></service>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>
<controlURL>/ctl/IPConn?a=1&amp;b=2</controlURL></service>
</serviceList></device></deviceList></device></root>`;

describe('UPnP', () => {
  it('searches for gateways, and takes their answers and nobody else’s', () => {
    expect(renderSsdpSearches()[1]).toBe(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
        'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
    );
    const answer = (st: string) =>
      `HTTP/1.1 200 OK\r\nST: ${st}\r\nLocation: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n`;
    const gateway = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
    expect(parseSsdpAnswer(answer(gateway))).toBe('http://192.168.1.1:5000/rootDesc.xml');
    expect(parseSsdpAnswer(answer('urn:schemas-upnp-org:device:MediaServer:1'))).toBeUndefined();
    expect(parseSsdpAnswer(answer(gateway).replace('200', '404'))).toBeUndefined();
    expect(parseSsdpAnswer('')).toBeUndefined();
  });

  it('finds the best service of a description', () => {
    expect(parseDescription(DESCRIPTION)).toEqual({
      type: 'urn:schemas-upnp-org:service:WANIPConnection:2',
      controlUrl: '/ctl/IPConn?a=1&b=2',
      base: 'http://192.168.1.1:5000/',
    });
    expect(parseDescription(DESCRIPTION.replaceAll('WANIPConnection', 'Printing'))).toBeUndefined();
    expect(parseDescription('<service>'.repeat(100_000))).toBeUndefined();
  });

  it('asks with the parameters in their order, and escapes what a router could misread', () => {
    const { soapAction, body } = renderSoap('urn:x:WANIPConnection:1', {
      name: 'AddPortMapping',
      externalPort: 40_000,
      internalPort: 51_820,
      internalClient: ip('192.168.1.2'),
      description: 'a <b> & "c"',
      leaseS: 7200,
    });
    expect(soapAction).toBe('"urn:x:WANIPConnection:1#AddPortMapping"');
    expect(body).toContain(
      '<u:AddPortMapping xmlns:u="urn:x:WANIPConnection:1"><NewRemoteHost></NewRemoteHost>' +
        '<NewExternalPort>40000</NewExternalPort><NewProtocol>UDP</NewProtocol><NewInternalPort>51820</NewInternalPort>' +
        '<NewInternalClient>192.168.1.2</NewInternalClient><NewEnabled>1</NewEnabled>' +
        '<NewPortMappingDescription>a &lt;b&gt; &amp; &quot;c&quot;</NewPortMappingDescription>' +
        '<NewLeaseDuration>7200</NewLeaseDuration></u:AddPortMapping>',
    );
  });

  it('reads addresses and errors', () => {
    const address = '<NewExternalIPAddress xmlns:dt="d" dt:dt="string"> 203.0.113.7 </NewExternalIPAddress>';
    expect(parseSoap(address)).toEqual({ error: undefined, externalAddress: '203.0.113.7' });
    const fault =
      '<UPnPError><errorCode>725</errorCode><errorDescription>Only\u0007Permanent</errorDescription></UPnPError>';
    expect(parseSoap(fault).error).toEqual({ code: 725, text: 'Only?Permanent' });
    expect(parseSoap('<errorCode>')).toEqual({ error: undefined, externalAddress: undefined });
  });
});
