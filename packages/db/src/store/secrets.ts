import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { concatBytes, invariant, WarrenError } from '@warren/base';
import type { Database } from './database.js';

const VERSION = 1;
/** NIST SP 800-38D §8.2.2: random nonces of 96 bits are good for 2^32 values under one key. */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const CIPHER = 'aes-256-gcm';
/** A value under this name shows at once whether a sealing key is the one of the first start. */
const CHECK_NAME = 'sealing-check';

/** @returns version (1) ‖ nonce (12) ‖ tag (16) ‖ ciphertext; bound to its name, so that rows cannot be exchanged. */
export function seal(key: Uint8Array, name: string, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  const body = concatBytes(cipher.update(value), cipher.final());
  return concatBytes(Uint8Array.of(VERSION), nonce, cipher.getAuthTag(), body);
}

/** @throws WarrenError `sealing-key-wrong`. */
export function open(key: Uint8Array, name: string, sealed: Uint8Array): Uint8Array {
  const body = 1 + NONCE_LENGTH + TAG_LENGTH;
  try {
    if (sealed[0] !== VERSION || sealed.length < body) throw new Error('not sealed by this version');
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(1, 1 + NONCE_LENGTH));
    decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(1 + NONCE_LENGTH, body));
    return concatBytes(decipher.update(sealed.subarray(body)), decipher.final());
  } catch (error) {
    const text =
      'the sealing key is not the one that this database was set up with: restore the one of the first start';
    throw new WarrenError('sealing-key-wrong', text, { cause: error });
  }
}

/** The stored value, or what `make` gives; of several writers the first wins and all get its value. */
export async function secret(
  { prisma }: Database,
  key: Uint8Array,
  name: string,
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<Uint8Array> {
  const found = await prisma.secret.findUnique({ where: { name } });
  if (found) return open(key, name, found.sealed);
  const sealed = seal(key, name, await make());
  await prisma.secret.createMany({ data: [{ name, sealed }], skipDuplicates: true });
  const stored = await prisma.secret.findUnique({ where: { name } });
  invariant(stored, `secret ${name} vanished while it was made`);
  return open(key, name, stored.sealed);
}

/** @throws WarrenError `sealing-key-wrong` when the database was set up with another key, `bad-request` for its length. */
export async function checkSealingKey(database: Database, key: Uint8Array): Promise<void> {
  if (key.length !== 32) throw new WarrenError('bad-request', `a sealing key has 32 bytes, not ${key.length}`);
  await secret(database, key, CHECK_NAME, () => randomBytes(16));
}
