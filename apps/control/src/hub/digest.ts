import { createHash } from 'node:crypto';
import { fromHex, toHex } from '@warren/base';

/** 2^256 − 1: sums are kept in 256 bits. */
const MASK = (1n << 256n) - 1n;

/** SHA-256 of an entry's bytes as sent, read as a big-endian number. */
export const entryHash = (bytes: Uint8Array): bigint => BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);

/** The digest after an entry was replaced: `before` and `after` are its hashes, 0 for absent (join-and-sync.md, “Sync”). */
export const moveDigest = (digest: bigint, before: bigint, after: bigint): bigint => (digest - before + after) & MASK;

/** 32 bytes, big-endian. */
export const digestBytes = (digest: bigint): Uint8Array => fromHex(toHex32(digest))!;
/** Whether 32 bytes from outside are this digest; empty bytes never are. */
export const isDigest = (digest: bigint, bytes: Uint8Array): boolean => toHex(bytes) === toHex32(digest);

const toHex32 = (digest: bigint): string => digest.toString(16).padStart(64, '0');
