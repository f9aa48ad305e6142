import { equalBytes, type HostPort, networkId, nodeId, publicKeyFromBytes, unixMillis } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { describe, expect, it } from 'vitest';
import {
  decodeNodeRecord,
  decodeTicket,
  decodeTombstone,
  encodeNodeRecord,
  encodeTicket,
  encodeTombstone,
  formatJoinToken,
  parseJoinToken,
} from './index.js';

const ids = { networkId: networkId('0b0e5d6c-1111'), nodeId: nodeId('0b0e5d6c-2222') };
const wireguardKey = publicKeyFromBytes(new Uint8Array(32).fill(1));
const record = encodeNodeRecord({ ...ids, wireguardKey, pathKey: wireguardKey, generation: 7 });
const stones = [null, new Uint8Array(32).fill(3)].map((identityKey) =>
  encodeTombstone({ ...ids, wireguardKey, identityKey, revokedAt: unixMillis(1_700_000_000_000) }),
);

/** How many inputs were taken, after checking that each of those is the encoding of what it was taken for. */
function countTaken<T>(
  right: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T | undefined,
  encode: (value: T) => Uint8Array,
): number {
  let taken = 0;
  for (const bytes of mutants(right)) {
    const value = decode(bytes);
    if (value === undefined) continue;
    taken++;
    if (!equalBytes(encode(value), bytes)) expect.unreachable(`taken, but not canonical: ${bytes.join(' ')}`);
  }
  return taken;
}

describe('decoders fed with garbage', () => {
  it('take node records in their one encoding only', { timeout: FUZZ_TIMEOUT }, () => {
    expect(countTaken([record], decodeNodeRecord, encodeNodeRecord)).toBeGreaterThan(1000);
  });

  it('take tombstones in their one encoding only', { timeout: FUZZ_TIMEOUT }, () => {
    expect(countTaken(stones, decodeTombstone, encodeTombstone)).toBeGreaterThan(1000);
  });

  it('take tickets in their one encoding only', { timeout: FUZZ_TIMEOUT }, () => {
    const ticket = encodeTicket({ ...ids, pathKey: wireguardKey, expiresAt: unixMillis(1_700_000_000_000) });
    expect(countTaken([ticket], decodeTicket, encodeTicket)).toBeGreaterThan(1000);
  });

  it('take join tokens that were not damaged', { timeout: FUZZ_TIMEOUT }, () => {
    const [pin, secret] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const token = { id: 'k7dq', secret, addresses: ['192.0.2.1:8443' as HostPort], pin };
    const text = formatJoinToken(token);
    const right = Uint8Array.from(text, (c) => c.charCodeAt(0));
    for (const bytes of mutants([right])) {
      const damaged = String.fromCharCode(...bytes);
      const parsed = parseJoinToken(damaged);
      if (parsed) expect(formatJoinToken(parsed)).toBe(damaged.trim());
    }
  });
});
