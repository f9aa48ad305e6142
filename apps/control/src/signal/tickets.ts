import { type SecretKey, unixMillis } from '@warren/base';
import { decodeNodeRecord, signTicket } from '@warren/identity';
import type { Network, NetworkNode } from '@warren/topology';
import { OFFLINE_TOLERANCE_MS } from '../codec/agent-codec.js';

/** No ticket is good for longer than this, milliseconds (signalling.md, “Names”): a tombstone need not be kept longer. */
export const LONGEST_TICKET_LIFE = 30 * 86_400_000;

/** Signs tickets. @returns undefined for a node that has no record of keys: a vanilla member uses no signal server. */
export type SignTicket = (
  network: Pick<Network, 'id' | 'offlineToleranceMs'>,
  node: NetworkNode,
) => Uint8Array | undefined;

/** How long a ticket of a network is good, milliseconds: as long as its agents do without us. */
export function ticketLife({ offlineToleranceMs }: Pick<Network, 'offlineToleranceMs'>): number {
  const tolerance = offlineToleranceMs ?? OFFLINE_TOLERANCE_MS;
  return tolerance === 0 ? LONGEST_TICKET_LIFE : Math.min(tolerance, LONGEST_TICKET_LIFE);
}

/** @param now wall clock, Unix milliseconds. */
export function ticketSigner(authority: SecretKey, now: () => number): SignTicket {
  return (network, { id, record }) => {
    const keys = record && decodeNodeRecord(record.record);
    if (!keys) return undefined;
    const expiresAt = unixMillis(now() + ticketLife(network));
    return signTicket(authority, { networkId: network.id, nodeId: id, pathKey: keys.pathKey, expiresAt });
  };
}
