import { networkId, nodeId, publicKeyFromBytes, SecretKey, toHex, unixMillis } from '@warren/base';
import { ed25519PublicKey, signEd25519 } from '@warren/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNodeRecord,
  decodeTombstone,
  encodeNodeRecord,
  encodeRenewal,
  encodeTombstone,
  type NodeRecord,
  signRecord,
  signRenewal,
  signTombstone,
  type Tombstone,
  verifyRecord,
  verifyRenewal,
  verifyTombstone,
} from './index.js';

const seed = new SecretKey(new Uint8Array(32).fill(7));
const other = new SecretKey(new Uint8Array(32).fill(8));
const publicOf = (key: SecretKey): Uint8Array => ed25519PublicKey(key.expose());

const RECORD: NodeRecord = {
  networkId: networkId('0b0e5d6c-1111-4111-8111-111111111111'),
  nodeId: nodeId('0b0e5d6c-2222-4222-8222-222222222222'),
  wireguardKey: publicKeyFromBytes(new Uint8Array(32).fill(1)),
  pathKey: publicKeyFromBytes(new Uint8Array(32).fill(2)),
  generation: 2 ** 40 + 3,
};
const TOMBSTONE: Tombstone = {
  networkId: RECORD.networkId,
  nodeId: RECORD.nodeId,
  wireguardKey: RECORD.wireguardKey,
  identityKey: new Uint8Array(32).fill(3),
  revokedAt: unixMillis(1_700_000_000_123),
};

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const publicKey = key.map(publicKeyFromBytes);
const count = fc.maxSafeNat();
const ids = { networkId: fc.uuid().map(networkId), nodeId: fc.uuid().map(nodeId), wireguardKey: publicKey };
const records: fc.Arbitrary<NodeRecord> = fc.record({ ...ids, pathKey: publicKey, generation: count });
const tombstones: fc.Arbitrary<Tombstone> = fc.record({
  ...ids,
  identityKey: fc.option(key),
  revokedAt: count.map(unixMillis),
});

/** Random bytes, and right encodings with bytes changed, cut off or added: the interesting garbage. */
const damaged = (right: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(right.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const bytes = Uint8Array.from(right);
      bytes[at]! ^= by;
      return bytes;
    }),
    fc.nat(right.length - 1).map((length) => right.slice(0, length)),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => Uint8Array.from([...right, ...more])),
  );

describe('node records', () => {
  it('have exactly these bytes, so that an agent of another version verifies them', () => {
    expect(toHex(encodeNodeRecord(RECORD))).toBe(
      [
        toHex(new TextEncoder().encode('warren node record v1\n')),
        `24${toHex(new TextEncoder().encode(RECORD.networkId))}`,
        `24${toHex(new TextEncoder().encode(RECORD.nodeId))}`,
        '01'.repeat(32),
        '02'.repeat(32),
        '0000010000000003',
      ].join(''),
    );
  });

  it('come back from their encoding', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeNodeRecord(encodeNodeRecord(record))).toEqual(record);
      }),
    );
  });

  it('are decoded from canonical bytes only, and from nothing else with an exception', () => {
    const right = encodeNodeRecord(RECORD);
    const check = (bytes: Uint8Array): void => {
      const decoded = decodeNodeRecord(bytes);
      if (decoded) expect(encodeNodeRecord(decoded)).toEqual(bytes);
    };
    fc.assert(fc.property(damaged(right), check));
    expect(decodeNodeRecord(right.slice(0, -1))).toBeUndefined();
    expect(decodeNodeRecord(Uint8Array.from([...right, 0]))).toBeUndefined();
  });

  it('verify under the identity that signed them, and not when a byte of record, key or signature changed', () => {
    const signed = signRecord(seed, RECORD);
    expect(verifyRecord(signed)).toEqual(RECORD);
    const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    for (const field of ['record', 'identityKey', 'signature'] as const) {
      for (let at = 0; at < signed[field].length; at += 5) {
        expect(verifyRecord({ ...signed, [field]: flip(signed[field], at) })).toBeUndefined();
      }
      expect(verifyRecord({ ...signed, [field]: new Uint8Array(0) })).toBeUndefined();
    }
    expect(verifyRecord({ ...signed, identityKey: publicOf(other) })).toBeUndefined();
  });

  it('refuse to be made of what has no encoding', () => {
    for (const generation of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => encodeNodeRecord({ ...RECORD, generation })).toThrow(RangeError);
    }
    for (const id of ['', 'x'.repeat(65), 'with space', 'ünicode', 'line\nbreak']) {
      expect(() => encodeNodeRecord({ ...RECORD, nodeId: nodeId(id) })).toThrow(RangeError);
    }
  });
});

describe('tombstones', () => {
  it('are decoded from a Buffer as from any bytes, though its slices share memory', () => {
    const bytes = encodeTombstone(TOMBSTONE);
    expect(decodeTombstone(Buffer.concat([Buffer.from('before'), bytes]).subarray(6))).toEqual(TOMBSTONE);
    expect(decodeNodeRecord(Buffer.concat([Buffer.from('before'), encodeNodeRecord(RECORD)]).subarray(6))).toEqual(
      RECORD,
    );
  });

  it('come back from their encoding, with and without an identity', () => {
    fc.assert(
      fc.property(tombstones, (stone) => {
        expect(decodeTombstone(encodeTombstone(stone))).toEqual(stone);
      }),
    );
  });

  it('are decoded from canonical bytes only, and from nothing else with an exception', () => {
    const check = (bytes: Uint8Array): void => {
      const decoded = decodeTombstone(bytes);
      if (decoded) expect(encodeTombstone(decoded)).toEqual(bytes);
    };
    fc.assert(fc.property(damaged(encodeTombstone(TOMBSTONE)), check));
    const without = encodeTombstone({ ...TOMBSTONE, identityKey: null });
    fc.assert(fc.property(damaged(without), check));
  });

  it('verify under the authority that signed them and no other', () => {
    const signed = signTombstone(seed, TOMBSTONE);
    expect(verifyTombstone(publicOf(seed), signed)).toEqual(TOMBSTONE);
    expect(verifyTombstone(publicOf(other), signed)).toBeUndefined();
    expect(verifyTombstone(new Uint8Array(3), signed)).toBeUndefined();
    const later = encodeTombstone({ ...TOMBSTONE, revokedAt: unixMillis(1) });
    expect(verifyTombstone(publicOf(seed), { ...signed, tombstone: later })).toBeUndefined();
  });
});

describe('renewals', () => {
  const signedAt = unixMillis(1_700_000_000_000);

  it('verify for the node and time that were signed and no other', () => {
    const signature = signRenewal(seed, RECORD.nodeId, signedAt);
    expect(verifyRenewal(publicOf(seed), RECORD.nodeId, signedAt, signature)).toBe(true);
    expect(verifyRenewal(publicOf(other), RECORD.nodeId, signedAt, signature)).toBe(false);
    expect(verifyRenewal(publicOf(seed), nodeId('another'), signedAt, signature)).toBe(false);
    expect(verifyRenewal(publicOf(seed), RECORD.nodeId, unixMillis(signedAt + 1), signature)).toBe(false);
  });

  it('are refused without an exception when they hold garbage', () => {
    const any = fc.tuple(
      fc.uint8Array({ maxLength: 70 }),
      fc.string({ unit: 'binary' }).map(nodeId),
      fc.double().map(unixMillis),
      fc.uint8Array({ maxLength: 70 }),
    );
    fc.assert(
      fc.property(any, (args) => {
        expect(verifyRenewal(...args)).toBe(false);
      }),
    );
  });
});

describe('domains', () => {
  it('keep one kind of signed bytes from being taken for another', () => {
    const encodings = [
      encodeNodeRecord(RECORD),
      encodeTombstone(TOMBSTONE),
      encodeRenewal(RECORD.nodeId, unixMillis(1)),
    ];
    for (const bytes of encodings) {
      const signed = { signature: signEd25519(seed.expose(), bytes), identityKey: publicOf(seed) };
      expect(verifyRecord({ ...signed, record: bytes }) !== undefined).toBe(bytes === encodings[0]);
      const stone = verifyTombstone(publicOf(seed), { ...signed, tombstone: bytes });
      expect(stone !== undefined).toBe(bytes === encodings[1]);
    }
  });
});
