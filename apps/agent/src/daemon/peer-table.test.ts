import { createHash } from 'node:crypto';
import { networkId, publicKeyFromBytes } from '@warren/base';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { generateNodeKeys } from '../state/node-keys.js';
import { makePeer, TestNetworkAuthority, testNetworkId } from '../testing/peers.js';
import { EntryDigest } from './digest.js';
import { PeerTable } from './peer-table.js';

const network = testNetworkId();
const authority = new TestNetworkAuthority();
const ownKey = publicKeyFromBytes(new Uint8Array(32).fill(7));
let warnings: string[];
let table: PeerTable;

beforeEach(() => {
  warnings = [];
  const log = (_level: string, message: string) => void warnings.push(message);
  table = new PeerTable({ networkId: networkId(network), authorityKey: authority.key, ownKey: () => ownKey, log });
});

const names = () => table.accepted().map((peer) => peer.name);
const [one, two, three] = ['one', 'two', 'three'].map((name) => makePeer(network, name));

describe('the digest', () => {
  it('is the sum modulo 2^256 of SHA-256 over each entry, whatever the order and history', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
    fc.assert(
      fc.property(entries, entries, (stay, go) => {
        const digest = new EntryDigest();
        for (const bytes of [...go, ...stay]) digest.add(bytes);
        for (const bytes of go) digest.subtract(bytes);
        const hash = (bytes: Uint8Array) => BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);
        const sum = stay.reduce((total, bytes) => total + hash(bytes), 0n) % 2n ** 256n;
        expect(Buffer.from(digest.bytes()).toString('hex')).toBe(sum.toString(16).padStart(64, '0'));
      }),
    );
  });

  it('after deltas is that of a snapshot of the same entries', () => {
    table.replace({ peers: [one!.bytes, two!.bytes], tombstones: [] });
    table.change({ upsert: [three!.bytes], remove: [one!.keys.nodeId], tombstones: [] });
    const after = table.digest();
    table.replace({ peers: [three!.bytes, two!.bytes], tombstones: [] });
    expect(table.digest()).toEqual(after);
  });
});

describe('the peer table', () => {
  it('keeps the objects of entries that did not change', () => {
    table.replace({ peers: [one!.bytes, two!.bytes], tombstones: [] });
    const before = table.accepted();
    table.replace({ peers: [two!.bytes, one!.bytes], tombstones: [] });
    expect(table.accepted()[0]).toBe(before[0]);
  });

  it('changes nothing when a message holds something that is no entry', () => {
    table.replace({ peers: [one!.bytes], tombstones: [] });
    const before = table.digest();
    const rubbish = Buffer.from('ffff', 'hex');
    expect(table.change({ upsert: [two!.bytes, rubbish], remove: [one!.keys.nodeId], tombstones: [] })).toBe(false);
    expect(table.replace({ peers: [rubbish], tombstones: [] })).toBe(false);
    expect(names()).toEqual(['one']);
    expect(table.digest()).toEqual(before);
  });

  it('lets a tombstone outrank every later snapshot', () => {
    table.replace({ peers: [one!.bytes, two!.bytes], tombstones: [] });
    table.change({ upsert: [], remove: [], tombstones: [authority.revoke(network, one!)] });
    expect(names()).toEqual(['two']);
    table.replace({ peers: [one!.bytes, two!.bytes], tombstones: [] });
    expect(names()).toEqual(['two']);
    expect(table.content().tombstones).toHaveLength(1);
  });

  it('refuses the key of a tombstone also under another node id', () => {
    const vanilla = { vanilla: true, record: undefined, wireguardKey: one!.entry.wireguardKey };
    const disguised = makePeer(network, 'disguised', vanilla);
    table.replace({ peers: [disguised.bytes], tombstones: [authority.revoke(network, one!)] });
    expect(names()).toEqual([]);
  });

  it('ignores tombstones that the network did not sign, or that are for another', () => {
    const foreign = authority.revoke(network, one!, generateNodeKeys().identity);
    const elsewhere = authority.revoke(testNetworkId(), one!);
    table.replace({ peers: [one!.bytes], tombstones: [foreign, elsewhere] });
    expect(names()).toEqual(['one']);
    expect(warnings).toHaveLength(2);
  });

  it('uses neither our own key nor one key twice', () => {
    const key = Buffer.alloc(32, 7);
    const ourselves = makePeer(network, 'ourselves', { vanilla: true, record: undefined, wireguardKey: key });
    const copy = makePeer(network, 'copy', { vanilla: true, record: undefined, wireguardKey: one!.entry.wireguardKey });
    table.replace({ peers: [ourselves.bytes, one!.bytes, copy.bytes], tombstones: [] });
    expect(names()).toEqual(['one']);
  });

  it.each([
    ['another network', () => ({ record: makePeer(testNetworkId(), 'x').entry.record })],
    ['another node', () => ({ record: makePeer(network, 'x').entry.record })],
    ['the record of its keys is missing', () => ({ record: undefined })],
    ['WireGuard key is not the one', () => ({ wireguardKey: Buffer.alloc(32, 3) })],
    ['wrong length', () => ({ wireguardKey: Buffer.alloc(31) })],
    ['preshared key', () => ({ presharedKey: Buffer.alloc(5) })],
    ['AllowedIPs', () => ({ allowedIps: ['198.18.0.9/33'] })],
    ['endpoint', () => ({ endpoint: 'nowhere' })],
    ['addresses', () => ({ addresses: ['x'] })],
    ['role', () => ({ role: 0 as never })],
    ['name', () => ({ name: 'line\nbreak' })],
    ['vanilla member has no record', () => ({ vanilla: true })],
  ])('does not use an entry with something wrong: %s', (words, change) => {
    const peer = makePeer(network, 'bad', change());
    expect(table.replace({ peers: [peer.bytes, one!.bytes], tombstones: [] })).toBe(true);
    expect(names()).toEqual(['one']);
    expect(warnings.join()).toContain(words);
  });

  it('never throws at bytes from outside', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }), (peers) => {
        table.replace({ peers, tombstones: [] });
        table.change({
          upsert: peers,
          remove: [''],
          tombstones: [{ tombstone: peers[0] ?? one!.bytes, signature: one!.bytes }],
        });
      }),
      { numRuns: 2000 },
    );
  });
});
