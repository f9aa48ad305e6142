import type { NetworkId, NodeId } from '@warren/base';
import type { NetworkNode } from '@warren/topology';
import type { Prisma } from '../gen/prisma/client.js';
import type { Actor, NetworkRow, TombstoneRow } from '../store-api.js';
import { isUuid, networkNotFound } from './checks.js';
import { type Database, type Transaction, transaction } from './database.js';
import { toLoggedNode, toLoggedTombstone, toNetworkRow } from './rows.js';

/** PostgreSQL's channel for "this network changed"; the payload is the network's id. */
export const CHANGE_CHANNEL = 'warren_change';
/** How many revisions of a network stay in its change log; who is further behind gets a snapshot. */
export const KEPT_REVISIONS = 10_000;
/** Pruning is due at every so many revisions. */
const PRUNE_EVERY = 1_000;

/** What happened, for the change log and the audit log. */
export interface NetworkChange {
  readonly nodeId?: NodeId;
  readonly before?: NetworkNode | null;
  readonly after?: NetworkNode | null;
  readonly tombstone?: TombstoneRow;
  readonly networkChanged?: boolean;
  /** The pair whose preshared key is another one now; the keys themselves are in no log. */
  readonly pair?: string;
  readonly audit: AuditEntry;
}

/** What the audit log says besides who and when. */
export interface AuditEntry {
  readonly action: string;
  readonly subject: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Without a change everything is rolled back, the revision included: revisions have no gaps. */
export interface Outcome<T> {
  readonly result: T;
  readonly change: NetworkChange | null;
}

/**
 * One writing transaction of one network. It begins with the network's next revision, whose row lock is held to
 * commit: writers of a network go one at a time, and revision order is commit order.
 * @throws WarrenError `not-found` when there is no such network.
 */
export async function changeNetwork<T>(
  database: Database,
  id: NetworkId,
  actor: Actor,
  work: (tx: Transaction, network: NetworkRow) => Promise<Outcome<T>>,
): Promise<T> {
  try {
    return await transaction(database, async (tx) => {
      const network = await takeRevision(tx, id);
      const { result, change } = await work(tx, network);
      if (!change) throw new Unchanged(result);
      await publish(tx, network, change, actor);
      return result;
    });
  } catch (error) {
    if (error instanceof Unchanged) return error.result as T;
    throw error;
  }
}

/** Locks the network by taking its next revision. */
export async function takeRevision(tx: Transaction, id: NetworkId): Promise<NetworkRow> {
  const rows = isUuid(id)
    ? await tx.$queryRaw<Parameters<typeof toNetworkRow>[0][]>`
        UPDATE network SET revision = revision + 1 WHERE id = ${id}::uuid
        RETURNING id, name, cidrs, mtu, pools, settings, offline_tolerance_ms AS "offlineToleranceMs",
          key_expiry_ms AS "keyExpiryMs", key_rotation_ms AS "keyRotationMs", ephemeral_after_ms AS "ephemeralAfterMs",
          epoch, revision, created_at AS "createdAt"`
    : [];
  if (!rows[0]) throw networkNotFound(id);
  return toNetworkRow(rows[0]);
}

/** Heard by every replica after commit, and only then. */
export async function notify(tx: Transaction, id: NetworkId): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${CHANGE_CHANNEL}, ${id})`;
}

/** Part of the transaction that it tells of: what is undone was never audited. */
export async function writeAudit(tx: Transaction, networkId: NetworkId | null, entry: AuditEntry, actor: Actor) {
  const details = (entry.details ?? {}) as Prisma.InputJsonObject;
  await tx.auditLog.create({ data: { actor, networkId, action: entry.action, subject: entry.subject, details } });
}

/** Deletes all but the last `keep` rows of one network's log. @returns how many went. */
export async function pruneNetwork(tx: Transaction, id: NetworkId, revision: number, keep: number): Promise<number> {
  const where = { networkId: id, revision: { lte: BigInt(revision - keep) } };
  return (await tx.changeLog.deleteMany({ where })).count;
}

async function publish(tx: Transaction, network: NetworkRow, change: NetworkChange, actor: Actor): Promise<void> {
  const { nodeId, before, after, tombstone, networkChanged, pair, audit } = change;
  // One statement for log, audit and notification: the network is locked for as long as we take.
  await tx.$executeRaw`
    WITH log AS (
      INSERT INTO change_log (network_id, revision, node_id, before, after, tombstone, network_changed, pair)
      VALUES (${network.id}::uuid, ${network.revision}::bigint, ${nodeId ?? null}::uuid,
        ${json(before && toLoggedNode(before))}::jsonb, ${json(after && toLoggedNode(after))}::jsonb,
        ${json(tombstone && toLoggedTombstone(tombstone))}::jsonb, ${networkChanged ?? false}, ${pair ?? null})
    ), audit AS (
      INSERT INTO audit_log (actor, action, network_id, subject, details)
      VALUES (${actor}, ${audit.action}, ${network.id}::uuid, ${audit.subject}, ${json(audit.details ?? {})}::jsonb)
    )
    SELECT pg_notify(${CHANGE_CHANNEL}, ${network.id})`;
  if (network.revision % PRUNE_EVERY === 0) await pruneNetwork(tx, network.id, network.revision, KEPT_REVISIONS);
}

const json = (value: object | null | undefined): string | null => (value ? JSON.stringify(value) : null);

/** Carries a result out of a transaction that is rolled back. */
class Unchanged extends Error {
  constructor(readonly result: unknown) {
    super('nothing changed');
  }
}
