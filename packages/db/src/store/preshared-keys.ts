import { randomBytes } from 'node:crypto';
import { KEY_LENGTH, type NetworkId, type NodeId, SecretKey, WarrenError } from '@warren/base';
import { type PlannedPresharedKey, pairId } from '@warren/topology';
import type postgres from 'postgres';
import type { Actor, NodeRow } from '../store-api.js';
import type { PresharedKeyRow } from '../store-keys.js';
import { badRequest, isUuid, nodeNotFound } from './checks.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork } from './network-change.js';
import { nodeNetwork } from './nodes.js';
import { plain, toNodeRow, WITH_ADDRESSES } from './rows.js';
import { open, seal } from './secrets.js';

/**
 * Gives a pair a preshared key, another one if it has one; without `key` a random one. It is kept sealed, and no log names it.
 * @throws WarrenError `not-found`, `not-vanilla`, `node-revoked`, `bad-request`.
 */
export async function setPresharedKey(
  database: Database,
  sealingKey: Uint8Array,
  [one, other]: readonly [NodeId, NodeId],
  key: SecretKey | undefined,
  actor: Actor,
): Promise<PresharedKeyRow> {
  const secret = key?.expose() ?? randomBytes(KEY_LENGTH);
  const network = await nodeNetwork(database, one);
  return changeNetwork(database, network, actor, async (tx) => {
    const ends = [await memberOf(tx, network, one), await memberOf(tx, network, other)] as const;
    if (one === other) throw badRequest('a preshared key is for two different nodes');
    if (ends.every(({ kind }) => kind === 'agent')) {
      const text = `"${ends[0].name}" and "${ends[1].name}" both run agents: preshared keys are for pairs with a vanilla member`;
      throw new WarrenError('not-vanilla', text);
    }
    const pair = pairId(one, other);
    const [nodeA, nodeB] = pair.split(' ') as [NodeId, NodeId];
    const data = { sealed: seal(sealingKey, sealName(pair), secret), createdAt: new Date() };
    const where = { nodeA_nodeB: { nodeA, nodeB } };
    const create = { networkId: network, nodeA, nodeB, ...data };
    const row = await tx.presharedKey.upsert({ where, create, update: data });
    const audit = { action: 'preshared-key.set', subject: one, details: { peer: other, given: key !== undefined } };
    return { result: { peerId: other, name: ends[1].name, createdAt: row.createdAt }, change: { pair, audit } };
  });
}

/** @throws WarrenError `not-found`, also when the pair has none. */
export async function deletePresharedKey(
  database: Database,
  [one, other]: readonly [NodeId, NodeId],
  actor: Actor,
): Promise<void> {
  const network = await nodeNetwork(database, one);
  await changeNetwork(database, network, actor, async (tx) => {
    const pair = pairId(one, other);
    const [nodeA, nodeB] = pair.split(' ') as [NodeId, NodeId];
    const found = isUuid(other) ? await tx.presharedKey.deleteMany({ where: { nodeA, nodeB } }) : { count: 0 };
    if (found.count === 0) throw new WarrenError('not-found', 'these two nodes have no preshared key');
    const audit = { action: 'preshared-key.delete', subject: one, details: { peer: other } };
    return { result: undefined, change: { pair, audit } };
  });
}

/** With whom a node has one, by name; never the keys themselves. @throws WarrenError `not-found`. */
export async function listPresharedKeys(database: Database, id: NodeId): Promise<readonly PresharedKeyRow[]> {
  await nodeNetwork(database, id);
  const rows = await database.prisma.presharedKey.findMany({
    where: { OR: [{ nodeA: id }, { nodeB: id }] },
    include: { a: { select: { name: true } }, b: { select: { name: true } } },
  });
  return rows
    .map(({ nodeA, nodeB, a, b, createdAt }) => {
      const isA = nodeA === id;
      return { peerId: (isA ? nodeB : nodeA) as NodeId, name: (isA ? b : a).name, createdAt };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those of a whole network by `pairId`. Nobody but the compiler asks for them. */
export async function presharedKeys(
  { sql }: { readonly sql: postgres.ISql },
  sealingKey: Uint8Array,
  network: NetworkId,
): Promise<ReadonlyMap<string, SecretKey>> {
  if (!isUuid(network)) return new Map();
  const rows = await sql<{ nodeA: NodeId; nodeB: NodeId; sealed: Uint8Array }[]>`
    SELECT node_a AS "nodeA", node_b AS "nodeB", sealed FROM preshared_key WHERE network_id = ${network}`;
  return new Map(
    rows.map(({ nodeA, nodeB, sealed }) => {
      const pair = pairId(nodeA, nodeB);
      return [pair, new SecretKey(open(sealingKey, sealName(pair), plain(sealed)))];
    }),
  );
}

/** Writes those of pairs that have none, in a transaction that makes their nodes. */
export async function addPresharedKeys(
  tx: Transaction,
  sealingKey: Uint8Array,
  networkId: NetworkId,
  planned: readonly PlannedPresharedKey[],
): Promise<void> {
  const data = planned.map(({ a, b, key }) => {
    const pair = pairId(a, b);
    const [nodeA, nodeB] = pair.split(' ') as [NodeId, NodeId];
    return { networkId, nodeA, nodeB, sealed: seal(sealingKey, sealName(pair), key.expose()) };
  });
  await tx.presharedKey.createMany({ data });
}

/** What a sealed key is bound to: rows cannot be exchanged. */
const sealName = (pair: string): string => `preshared-key ${pair}`;

async function memberOf(tx: Transaction, network: NetworkId, id: NodeId): Promise<NodeRow> {
  const row = isUuid(id) ? await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES }) : null;
  if (row?.networkId !== network) throw nodeNotFound(id);
  if (row.status === 'revoked') throw new WarrenError('node-revoked', `node "${row.name}" was revoked`);
  return toNodeRow(row);
}
