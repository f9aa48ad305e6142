import { networkId, nodeId, publicKeyFromBytes, SecretKey, toHex, unixMillis } from '@warren/base';
import { ed25519PublicKey, sha256, signEd25519 } from '@warren/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeTicket,
  encodeTicket,
  MAX_TICKET_LENGTH,
  relayIdOf,
  type SignalTicket,
  signTicket,
  signTombstone,
  verifyTicket,
} from './index.js';

const seed = new SecretKey(new Uint8Array(32).fill(7));
const other = new SecretKey(new Uint8Array(32).fill(8));
const publicOf = (key: SecretKey): Uint8Array => ed25519PublicKey(key.expose());

const TICKET: SignalTicket = {
  networkId: networkId('0b0e5d6c-1111-4111-8111-111111111111'),
  nodeId: nodeId('0b0e5d6c-2222-4222-8222-222222222222'),
  pathKey: publicKeyFromBytes(new Uint8Array(32).fill(2)),
  expiresAt: unixMillis(2 ** 40 + 3),
};
const text = (string: string): string => toHex(new TextEncoder().encode(string));

describe('signal tickets', () => {
  it('have exactly these bytes, so that a signal server of another version verifies them', () => {
    const bytes = encodeTicket(TICKET);
    expect(toHex(bytes)).toBe(
      [
        text('warren signal ticket v1\n'),
        `24${text(TICKET.networkId)}`,
        `24${text(TICKET.nodeId)}`,
        '02'.repeat(32),
        '0000010000000003',
      ].join(''),
    );
    expect(toHex(signTicket(seed, TICKET))).toBe(toHex(bytes) + toHex(signEd25519(seed.expose(), bytes)));
  });

  it('come back from their encoding', () => {
    const tickets: fc.Arbitrary<SignalTicket> = fc.record({
      networkId: fc.uuid().map(networkId),
      nodeId: fc.uuid().map(nodeId),
      pathKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(publicKeyFromBytes),
      expiresAt: fc.maxSafeNat().map(unixMillis),
    });
    fc.assert(
      fc.property(tickets, (ticket) => {
        expect(decodeTicket(encodeTicket(ticket))).toEqual(ticket);
      }),
    );
  });

  it('verify under the authority that signed them and no other', () => {
    const signed = signTicket(seed, TICKET);
    expect(verifyTicket(publicOf(seed), signed)).toEqual(TICKET);
    expect(verifyTicket(publicOf(other), signed)).toBeUndefined();
    expect(verifyTicket(new Uint8Array(3), signed)).toBeUndefined();
  });

  it('do not verify when any byte changed, is missing or was added', () => {
    const signed = signTicket(seed, TICKET);
    for (let at = 0; at < signed.length; at += 3) {
      const changed = signed.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(verifyTicket(publicOf(seed), changed)).toBeUndefined();
      expect(verifyTicket(publicOf(seed), signed.slice(0, at))).toBeUndefined();
    }
    expect(verifyTicket(publicOf(seed), Uint8Array.from([...signed, 0]))).toBeUndefined();
    expect(verifyTicket(publicOf(seed), new Uint8Array(70_000))).toBeUndefined();
  });

  it('are never longer than a receiver has room for', () => {
    const [network, node] = [networkId('n'.repeat(64)), nodeId('m'.repeat(64))];
    const longest = signTicket(seed, { ...TICKET, networkId: network, nodeId: node });
    expect(longest.length).toBe(MAX_TICKET_LENGTH);
  });

  it('are not taken for a tombstone of the same authority', () => {
    const stone = signTombstone(seed, {
      networkId: TICKET.networkId,
      nodeId: TICKET.nodeId,
      wireguardKey: TICKET.pathKey,
      identityKey: null,
      revokedAt: TICKET.expiresAt,
    });
    expect(verifyTicket(publicOf(seed), Uint8Array.from([...stone.tombstone, ...stone.signature]))).toBeUndefined();
  });
});

describe('relay ids', () => {
  it('are the first 8 bytes of the hash of both ids', () => {
    const hashed = sha256(new TextEncoder().encode('warren relay id v1\nnet-a\nnode-b'));
    expect(relayIdOf(networkId('net-a'), nodeId('node-b'))).toEqual(hashed.slice(0, 8));
  });

  it('are not made of ids that could be read in two ways', () => {
    expect(() => relayIdOf(networkId('a\nb'), nodeId('c'))).toThrow(RangeError);
    expect(() => relayIdOf(networkId('a'), nodeId('b\nc'))).toThrow(RangeError);
  });
});
