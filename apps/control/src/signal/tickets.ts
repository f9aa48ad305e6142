import { type NetworkId, type SecretKey, unixMillis } from '@warren/base';
import { decodeNodeRecord, signTicket } from '@warren/identity';
import type { NetworkNode } from '@warren/topology';
import { OFFLINE_TOLERANCE_MS } from '../codec/agent-codec.js';

/** What a ticket lives where the offline tolerance is without limit. */
const LONGEST_LIFE = 30 * 86_400_000;
/** How long a ticket is good, milliseconds (signalling.md, “Names”). A tombstone need not be kept longer. */
export const TICKET_LIFE = OFFLINE_TOLERANCE_MS || LONGEST_LIFE;

/** Signs tickets. @returns undefined for a node that has no record of keys: a vanilla member uses no signal server. */
export type SignTicket = (network: NetworkId, node: NetworkNode) => Uint8Array | undefined;

/** @param now wall clock, Unix milliseconds. */
export function ticketSigner(authority: SecretKey, now: () => number): SignTicket {
  return (networkId, { id, record }) => {
    const keys = record && decodeNodeRecord(record.record);
    if (!keys) return undefined;
    const expiresAt = unixMillis(now() + TICKET_LIFE);
    return signTicket(authority, { networkId, nodeId: id, pathKey: keys.pathKey, expiresAt });
  };
}
