import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { concatBytes, fromHex, KEY_LENGTH, WarrenError } from '@warren/base';
import {
  decodeTicket,
  decodeTombstone,
  type SignalTicket,
  type SignedTombstone,
  type Tombstone,
} from '@warren/identity';

/** SubjectPublicKeyInfo of an Ed25519 key, up to the key (RFC 8410 §4). */
const SPKI_HEAD = fromHex('302a300506032b6570032100')!;
const SIGNATURE_LENGTH = 64;

/** Who may say which nodes use this server. Its number tells an authority from the others. */
export class Authorities {
  readonly #keys: readonly KeyObject[];

  /** @param keys Ed25519 public keys. @throws WarrenError `bad-authority` unless each has 32 bytes. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map((key) => {
      if (key.length !== KEY_LENGTH) {
        throw new WarrenError('bad-authority', `the key of an authority has ${KEY_LENGTH} bytes, not ${key.length}`);
      }
      return createPublicKey({ key: Buffer.from(concatBytes(SPKI_HEAD, key)), format: 'der', type: 'spki' });
    });
  }

  /** What a ticket says, signed or not: cheap. undefined: it is none. */
  readTicket(signed: Uint8Array): SignalTicket | undefined {
    return decodeTicket(signed.subarray(0, Math.max(0, signed.length - SIGNATURE_LENGTH)));
  }

  /** @returns the number of the authority that signed the ticket. */
  ticketSigner(signed: Uint8Array): number | undefined {
    const end = Math.max(0, signed.length - SIGNATURE_LENGTH);
    return this.#signer(signed.subarray(0, end), signed.subarray(end));
  }

  /** The tombstone, if this authority signed it. */
  verifyTombstone(authority: number, { tombstone, signature }: SignedTombstone): Tombstone | undefined {
    const decoded = decodeTombstone(tombstone);
    const key = this.#keys[authority];
    return decoded && key && verify(null, tombstone, key, signature) ? decoded : undefined;
  }

  /** OpenSSL's verification, a tenth of the time of the portable one. */
  #signer(message: Uint8Array, signature: Uint8Array): number | undefined {
    const found = this.#keys.findIndex((key) => verify(null, message, key, signature));
    return found < 0 ? undefined : found;
  }
}
