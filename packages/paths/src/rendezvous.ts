import { concatBytes } from '@warren/base';
import { sha256 } from '@warren/crypto';
import type { ServerId } from './path-manager-api.js';

const ASCII_NUL = Uint8Array.of(0);

/**
 * The servers in the order in which the agent of this relay id registers at them: descending SHA-256(server id ‖ 0x00 ‖ relay
 * id) (docs/protocol/signalling.md, “Who is registered where”). A server that comes or goes moves only those that prefer it.
 */
export function rendezvousOrder(servers: readonly ServerId[], relayId: Uint8Array): ServerId[] {
  return servers
    .map((id) => ({ id, weight: sha256(concatBytes(asciiBytes(id), ASCII_NUL, relayId)) }))
    .sort((a, b) => compareBytes(b.weight, a.weight))
    .map(({ id }) => id);
}

/** Negative when `a` comes first, as numbers of the same length in network byte order. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** One byte a character; what is not ASCII becomes a question mark. */
export const asciiBytes = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => (character.charCodeAt(0) < 0x80 ? character.charCodeAt(0) : 0x3f));

export const asciiText = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
