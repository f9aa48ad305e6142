import {
  type Endpoint,
  type Prefix,
  type PublicKey,
  parsePublicKey,
  publicKeyFromBytes,
  SecretKey,
} from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { PeerChange } from './device-settings-api.js';
import { RestartRecord } from './restart-record.js';

const peer = (number: number): PublicKey => publicKeyFromBytes(new Uint8Array(32).fill(number));
const key = (number: number): SecretKey => new SecretKey(new Uint8Array(32).fill(number));
const prefixes = (...texts: string[]) => texts as Prefix[];
const endpoint = (text: string) => text as Endpoint;
const change = (publicKey: PublicKey, changes: Partial<PeerChange> = {}): PeerChange => ({
  publicKey,
  remove: false,
  updateOnly: false,
  replaceAllowedIps: false,
  allowedIps: [],
  ...changes,
});
const added = (...texts: string[]) => prefixes(...texts).map((prefix) => ({ verb: 'add', prefix }) as const);

describe('the record for another worker', () => {
  it('has the peers of the handle as they were set last, with where they were heard from', () => {
    const record = new RestartRecord(key(1));
    const presharedKey = key(9);
    record.set({ publicKey: peer(2), allowedIps: prefixes('10.0.0.2/32'), presharedKey }, endpoint('192.0.2.2:1'));
    record.set({ publicKey: peer(3), allowedIps: prefixes('10.0.0.3/32'), persistentKeepalive: 25 }, undefined);
    presharedKey.erase(); // the caller's
    record.heard(peer(2), endpoint('192.0.2.9:9'));
    record.heard(peer(7), endpoint('192.0.2.7:7'));
    expect(record.peers(true)).toEqual([peer(2), peer(3)]);
    expect(record.known()).toEqual([peer(2)]);
    const { peer: second, endpoint: heard } = record.managedPeer(peer(2));
    expect([...second.presharedKey!.expose()]).toEqual([...key(9).expose()]);
    expect(heard).toBe('192.0.2.9:9');
    expect(record.managedPeer(peer(3))).toEqual({
      peer: { publicKey: peer(3), allowedIps: ['10.0.0.3/32'], persistentKeepalive: 25 },
      endpoint: undefined,
    });
    for (const number of [2, 3, 7]) record.resolved(peer(number), endpoint('198.51.100.1:1'));
    expect([2, 3].map((number) => record.managedPeer(peer(number)).endpoint)).toEqual(
      Array.from({ length: 2 }, () => '198.51.100.1:1'),
    );
    expect(record.known()).toEqual([peer(2)]);
    record.remove(peer(2));
    expect(record.peers(true)).toEqual([peer(3)]);
    expect(record.known()).toEqual([]);
    expect(parsePublicKey(peer(3))).toBe(peer(3));
  });

  it('has the operators’ peers by the rules that the worker applies', () => {
    const record = new RestartRecord(undefined);
    record.set({ publicKey: peer(2), allowedIps: prefixes('10.0.0.2/32') }, undefined);
    record.configured({
      replacePeers: false,
      peers: [
        change(peer(4), { allowedIps: added('10.4.0.0/16', '10.5.0.0/16'), persistentKeepalive: 7 }),
        change(peer(5), { updateOnly: true, allowedIps: added('10.9.0.0/16') }),
        change(peer(6), { allowedIps: added('10.5.0.0/16'), endpoint: endpoint('192.0.2.6:6'), presharedKey: key(8) }),
        change(peer(6), { presharedKey: key(0), allowedIps: [{ verb: 'remove', prefix: '10.6.0.0/16' as Prefix }] }),
        change(peer(2), { remove: true }), // refused by the worker
      ],
    });
    expect(record.operatorsPeers()).toEqual({
      replacePeers: false,
      peers: [
        change(peer(4), { replaceAllowedIps: true, allowedIps: added('10.4.0.0/16'), persistentKeepalive: 7 }),
        change(peer(6), {
          replaceAllowedIps: true,
          allowedIps: added('10.5.0.0/16'),
          endpoint: endpoint('192.0.2.6:6'),
        }),
      ],
    });
    record.configured({ replacePeers: true, privateKey: key(3), peers: [] });
    expect(record.peers(false)).toEqual([]);
    expect(record.peers(true)).toEqual([peer(2)]);
    expect([...record.privateKey!.expose()]).toEqual([...key(3).expose()]);
  });

  it('owns its keys and overwrites them', () => {
    const own = key(1);
    const record = new RestartRecord(own);
    const { privateKey } = record;
    record.set({ publicKey: peer(2), allowedIps: [], presharedKey: key(9) }, undefined);
    const { presharedKey } = record.managedPeer(peer(2)).peer;
    record.erase();
    expect([...privateKey!.expose(), ...presharedKey!.expose()].every((byte) => byte === 0)).toBe(true);
    expect(own.expose()[0]).toBe(1);
  });
});

describe('what the record keeps of signalling', () => {
  it('is its options with a key of its own, what was set last, and the agents', () => {
    const pathKey = key(4);
    const record = new RestartRecord(key(1), { relayId: new Uint8Array(8), pathKey, predictPorts: true });
    pathKey.erase(); // the caller's
    expect([...record.signallingOptions!.pathKey.expose()]).toEqual([...key(4).expose()]);
    const agent = { name: 'b', relayId: new Uint8Array(8), pathKey: new Uint8Array(32) };
    record.set({ publicKey: peer(2), allowedIps: [], agent }, endpoint('192.0.2.2:1'));
    record.heard(peer(2), undefined);
    expect(record.known()).toEqual([peer(2)]);
    expect(record.managedPeer(peer(2))).toMatchObject({ peer: { agent }, endpoint: '192.0.2.2:1' });
    record.resolved(peer(2), endpoint('192.0.2.3:1'));
    expect(record.managedPeer(peer(2)).endpoint).toBe('192.0.2.3:1');
    const { signallingOptions } = record;
    record.erase();
    expect(record.signallingOptions).toBeUndefined();
    expect(signallingOptions!.pathKey.expose()).toEqual(new Uint8Array(32));
  });
});
