import { type HostPort, type Prefix, type PublicKey, publicKeyFromBytes, SecretKey } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { DataPlanePeer } from './data-plane-api.js';
import { checkPeer, encodePeer } from './peer-message.js';

const publicKey = publicKeyFromBytes(new Uint8Array(32).fill(1));
const peer: DataPlanePeer = {
  publicKey,
  presharedKey: new SecretKey(new Uint8Array(32).fill(7)),
  allowedIps: ['10.44.0.3/32' as Prefix],
  endpoint: 'peer.example:51820' as HostPort,
  persistentKeepalive: 25,
};

describe('peer message', () => {
  it('survives the way to the worker, preshared key included, and leaves no key behind', () => {
    const transfer: ArrayBuffer[] = [];
    const message = encodePeer(peer, undefined, transfer);
    const arrived = structuredClone(message, { transfer });
    expect(arrived).toEqual({
      publicKey,
      presharedKey: new Uint8Array(32).fill(7),
      allowedIps: ['10.44.0.3/32'],
      persistentKeepalive: 25,
    });
    expect(message.presharedKey).toHaveLength(0);
    expect(peer.presharedKey!.expose()).toEqual(new Uint8Array(32).fill(7));
  });

  it('leaves out what is not set', () => {
    const transfer: ArrayBuffer[] = [];
    expect(encodePeer({ publicKey, allowedIps: [] }, undefined, transfer)).toEqual({ publicKey, allowedIps: [] });
    expect(transfer).toEqual([]);
  });

  it('is not made of peers that cannot be', () => {
    const bad: readonly (readonly [string, Partial<DataPlanePeer>])[] = [
      ['public key', { publicKey: 'short' as PublicKey }],
      ['canonical prefix', { allowedIps: ['10.44.0.3/16' as Prefix] }],
      ['canonical prefix', { allowedIps: ['10.0.0.0/8 dev eth0' as Prefix] }],
      ['host:port', { endpoint: 'peer.example' as HostPort }],
      ['keepalive', { persistentKeepalive: 65_536 }],
      ['keepalive', { persistentKeepalive: -1 }],
      ['relay id', { agent: { name: 'b', relayId: new Uint8Array(7), pathKey: new Uint8Array(32) } }],
      ['path key', { agent: { name: 'b', relayId: new Uint8Array(8), pathKey: new Uint8Array(31) } }],
    ];
    for (const [problem, change] of bad) expect(() => checkPeer({ ...peer, ...change })).toThrow(problem);
    expect(() => checkPeer(peer)).not.toThrow();
  });
});
