import { createHmac, randomBytes } from 'node:crypto';
import { concatBytes, equalBytes, type SecretKey } from '@warren/base';

/** Makes and recognises the challenges of PrepareJoin. */
export interface Challenges {
  make(tokenId: string): Uint8Array;
  /** Whether this was made for that token, at most `life` milliseconds ago. */
  isGood(challenge: Uint8Array, tokenId: string, life: number): boolean;
}

/** Challenges need no memory, so that any replica takes them: nonce (16) ‖ time (8) ‖ HMAC-SHA-256 with the token's id (32). */
export function createChallenges(secret: SecretKey, now: () => number): Challenges {
  const key = createHmac('sha256', secret.expose()).update('warren join challenge v1').digest();
  const mac = (head: Uint8Array, tokenId: string): Uint8Array =>
    Uint8Array.from(createHmac('sha256', key).update(head).update(tokenId).digest());
  return {
    make(tokenId) {
      const head = Buffer.alloc(24);
      randomBytes(16).copy(head);
      head.writeBigUInt64BE(BigInt(now()), 16);
      return concatBytes(head, mac(head, tokenId));
    },
    isGood(challenge, tokenId, life) {
      if (challenge.length !== 56) return false;
      const head = Buffer.from(challenge.subarray(0, 24));
      if (!equalBytes(mac(head, tokenId), challenge.subarray(24))) return false;
      return Math.abs(now() - Number(head.readBigUInt64BE(16))) <= life;
    },
  };
}
