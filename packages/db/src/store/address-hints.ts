import type { NetworkId } from '@warren/base';
import type { NetworkRow } from '../store-api.js';

/** Networks remembered; beyond that all begin anew. */
const MAX_NETWORKS = 1_000;

/**
 * Below what all addresses of a network are known to have been used, by span (topology, `spanKey`). Addresses that were used
 * once stay in the database, so that this only ever grows; it saves reading ten thousand of them at each join. By the
 * network's id, which no two databases share.
 */
const hints = new Map<NetworkId, { readonly epoch: number; readonly at: Map<string, number> }>();

/** The caller changes what it gets. A restored backup knows fewer addresses, so that its epoch begins anew. */
export function hintsOf({ id, epoch }: NetworkRow): Map<string, number> {
  const known = hints.get(id);
  if (known?.epoch === epoch) return known.at;
  if (hints.size >= MAX_NETWORKS) hints.clear();
  const at = new Map<string, number>();
  hints.set(id, { epoch, at });
  return at;
}

/** Reads everything again the next time. */
export function forgetHints({ id }: NetworkRow): void {
  hints.delete(id);
}
