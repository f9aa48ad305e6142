import { type NetworkId, type NodeId, networkId, nodeId, type Prefix } from '@warren/base';
import type { ConfSettings, Network, NetworkNode } from '@warren/topology';
import type { ChangeRow, NetworkState, TombstoneRow } from '../store-api.js';
import { isUuid } from './checks.js';
import { type Database, transaction } from './database.js';
import { KEPT_REVISIONS, pruneNetwork } from './network-change.js';
import { presharedKeys } from './preshared-keys.js';
import {
  fromLoggedNode,
  fromLoggedTombstone,
  type LoggedNode,
  type LoggedTombstone,
  plain,
  toNetworkNode,
} from './rows.js';

interface NodeColumns {
  id: string;
  name: string;
  role: string;
  kind: string;
  publicKey: string;
  endpoint: string | null;
  unavailable: boolean;
  signalPort: number | null;
  record: Uint8Array<ArrayBuffer> | null;
  identityKey: Uint8Array<ArrayBuffer> | null;
  signature: Uint8Array<ArrayBuffer> | null;
  previousPublicKey: string | null;
  previousRecord: Uint8Array<ArrayBuffer> | null;
  previousSignature: Uint8Array<ArrayBuffer> | null;
  keyExpiresAt: Date | null;
  rotateGeneration: bigint | null;
  settings: object;
  addresses: string[] | null;
}

/** A whole network at one moment: nodes, tombstones and the revision that they belong to. */
export async function loadNetwork(
  { sql }: Database,
  sealingKey: Uint8Array,
  id: NetworkId,
): Promise<NetworkState | undefined> {
  if (!isUuid(id)) return undefined;
  // One snapshot for all reads: a change between them would give nodes of one revision the number of another.
  return sql.begin('isolation level repeatable read read only', async (tx): Promise<NetworkState | undefined> => {
    const [network] = await tx<NetworkColumns[]>`
      SELECT name, cidrs, mtu, offline_tolerance_ms AS "offlineToleranceMs", key_expiry_ms AS "keyExpiryMs",
        key_rotation_ms AS "keyRotationMs", settings, epoch, revision FROM network WHERE id = ${id}`;
    if (!network) return undefined;
    const [nodes, keys, tombstones] = await Promise.all([
      tx<NodeColumns[]>`
        SELECT id, name, role, kind, public_key AS "publicKey", endpoint, unavailable,
          signal_port AS "signalPort", record, previous_public_key AS "previousPublicKey",
          previous_record AS "previousRecord", previous_signature AS "previousSignature",
          key_expires_at AS "keyExpiresAt", rotate_generation AS "rotateGeneration", settings,
          identity_key AS "identityKey", signature, (SELECT array_agg(host(address)) FROM node_address WHERE node_id = node.id) AS addresses
        FROM node WHERE network_id = ${id} AND status = 'active' ORDER BY id`,
      presharedKeys({ sql: tx }, sealingKey, id),
      tx<
        TombstoneRow[]
      >`SELECT tombstone, signature FROM tombstone WHERE network_id = ${id} ORDER BY created_at, node_id`,
    ]);
    const { epoch, revision } = network;
    return {
      network: { ...toNetwork(id, network, nodes), ...(keys.size > 0 && { presharedKeys: keys }) },
      epoch,
      revision: Number(revision),
      tombstones: tombstones.map((row) => ({ tombstone: plain(row.tombstone), signature: plain(row.signature) })),
    };
  });
}

interface NetworkColumns {
  name: string;
  cidrs: Prefix[];
  mtu: number;
  offlineToleranceMs: string;
  keyExpiryMs: string | null;
  keyRotationMs: string | null;
  settings: ConfSettings;
  epoch: number;
  revision: string;
}

function toNetwork(id: NetworkId, row: NetworkColumns, nodes: readonly NodeColumns[]): Network {
  const { name, cidrs, mtu, offlineToleranceMs, keyExpiryMs, keyRotationMs, settings } = row;
  return {
    ...{ id, name, cidrs, mtu, settings },
    offlineToleranceMs: Number(offlineToleranceMs),
    ...(keyExpiryMs !== null && { keyExpiryMs: Number(keyExpiryMs) }),
    ...(keyRotationMs !== null && { keyRotationMs: Number(keyRotationMs) }),
    nodes: new Map(nodes.map(toEntry)),
  };
}

function toEntry(row: NodeColumns): [NodeId, NetworkNode] {
  const addresses = (row.addresses ?? []).map((address) => ({ address }));
  return [nodeId(row.id), toNetworkNode({ ...row, addresses })];
}

interface LogColumns {
  current: string;
  revision: string | null;
  nodeId: string | null;
  before: LoggedNode | null;
  after: LoggedNode | null;
  tombstone: LoggedTombstone | null;
  networkChanged: boolean;
  pair: string | null;
}

/** Rows after `revision`; undefined when the log has been pruned beyond it, or never was there. */
export async function changesSince(
  { sql }: Database,
  id: NetworkId,
  revision: number,
): Promise<readonly ChangeRow[] | undefined> {
  if (!isUuid(id) || !Number.isSafeInteger(revision) || revision < 0) return undefined;
  const rows = await sql<LogColumns[]>`
    SELECT network.revision AS current, log.revision, log.node_id AS "nodeId", log.before, log.after, log.tombstone,
      log.network_changed AS "networkChanged", log.pair
    FROM network LEFT JOIN change_log log ON log.network_id = network.id AND log.revision > ${revision}
    WHERE network.id = ${id} ORDER BY log.revision`;
  const current = Number(rows[0]?.current ?? -1);
  if (current === revision) return [];
  // Revisions have no gaps: the log reaches back exactly when its first row is the next one.
  if (Number(rows[0]?.revision ?? -1) !== revision + 1) return undefined;
  return rows.map(toChangeRow);
}

function toChangeRow(row: LogColumns): ChangeRow {
  return {
    revision: Number(row.revision),
    nodeId: row.nodeId === null ? null : nodeId(row.nodeId),
    before: row.before && fromLoggedNode(row.before),
    after: row.after && fromLoggedNode(row.after),
    tombstone: row.tombstone && fromLoggedTombstone(row.tombstone),
    networkChanged: row.networkChanged,
    ...(row.pair !== null && { pair: row.pair }),
  };
}

/** Cuts every network's log to its last `keep` rows. @returns how many rows went. */
export async function pruneChanges(database: Database, keep = KEPT_REVISIONS): Promise<number> {
  const networks = await database.prisma.network.findMany({ select: { id: true, revision: true } });
  let pruned = 0;
  for (const { id, revision } of networks) {
    pruned += await transaction(database, (tx) => pruneNetwork(tx, networkId(id), Number(revision), keep));
  }
  return pruned;
}
