import { type Endpoint, type HostPort, SecretKey } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { SignallingChange } from './data-plane-api.js';
import { checkSignalling, checkSignallingOptions, encodeSignalling } from './signalling-message.js';

const server = { id: 'home', name: 'home', udp: 'relay.example:3478' as HostPort, tls: [], key: new Uint8Array(32) };

describe('signalling options on their way to the worker', () => {
  const options = {
    relayId: new Uint8Array(8),
    pathKey: new SecretKey(new Uint8Array(32).fill(7)),
    predictPorts: true,
  };

  it('arrive with their key, and leave none behind', () => {
    const transfer: ArrayBuffer[] = [];
    const message = encodeSignalling({ ...options, onTombstone: () => undefined }, transfer);
    const arrived = structuredClone(message, { transfer });
    expect(arrived).toEqual({ relayId: options.relayId, pathKey: new Uint8Array(32).fill(7), predictPorts: true });
    expect(message.pathKey).toHaveLength(0);
    expect(options.pathKey.expose()).toEqual(new Uint8Array(32).fill(7));
  });

  it('are refused with a relay id of another length', () => {
    expect(() => checkSignallingOptions(options)).not.toThrow();
    expect(() => checkSignallingOptions({ ...options, relayId: new Uint8Array(9) })).toThrow('a relay id has 8 bytes');
  });
});

describe('a change of signalling', () => {
  it('is refused when an address or key in it is none', () => {
    const bad: readonly (readonly [string, SignallingChange])[] = [
      ['"relay.example" is no host:port', { servers: [{ ...server, udp: 'relay.example' as HostPort }] }],
      ['"x:0" is no host:port', { servers: [{ ...server, tls: ['x:0' as HostPort] }] }],
      ['its key has 31 bytes', { servers: [{ ...server, key: new Uint8Array(31) }] }],
      ['"name:1" is no address:port', { mapped: ['name:1' as Endpoint] }],
    ];
    for (const [problem, change] of bad) expect(() => checkSignalling(change)).toThrow(problem);
    expect(() => checkSignalling({ servers: [server], mapped: ['192.0.2.1:1' as Endpoint] })).not.toThrow();
  });
});
