import type { NodeId } from '@warren/base';
import type { NodeRow, TombstoneRow } from '@warren/db';
import { decodeTombstone } from '@warren/identity';
import { type FarewellCode, REMOVED } from './session.js';

/** What becomes of a connected agent whose node is not among the active ones: it waits, or it is sent away. */
export type Fate =
  | { readonly waits: NodeRow }
  | { readonly farewell: FarewellCode; readonly message: string; readonly tombstone?: TombstoneRow };

/** What an agent is told whose key has expired. */
export const EXPIRED = 'the key of this node has expired: join again with a token, or have an administrator extend it';

/**
 * A tombstone outranks whatever the row says. An active row is newer than the version that lacks it: what it means
 * comes with the next revision.
 */
export function fateOf(id: NodeId, row: NodeRow | undefined, tombstones: readonly TombstoneRow[]): Fate {
  const tombstone = tombstones.find((stone) => decodeTombstone(stone.tombstone)?.nodeId === id);
  if (tombstone || row?.status === 'revoked') {
    return { farewell: 'node-revoked', message: 'this node was revoked', ...(tombstone && { tombstone }) };
  }
  if (!row) return { farewell: 'node-removed', message: REMOVED };
  return row.status === 'expired' ? { farewell: 'node-expired', message: EXPIRED } : { waits: row };
}
