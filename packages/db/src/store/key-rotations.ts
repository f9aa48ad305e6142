import { equalBytes, type NetworkId, type NodeId, type PublicKey, parsePublicKey, WarrenError } from '@warren/base';
import type { SignedRecord } from '@warren/topology';
import type { KeyOverlap, KeyRotation } from '../key-store-api.js';
import type { Actor, NetworkRow, NodeRow } from '../store-api.js';
import { badRequest, isUuid, nodeNotFound } from './checks.js';
import type { Database, Transaction } from './database.js';
import { checkKeys, wireguardKeyBytes } from './members.js';
import { changeNetwork, type Outcome } from './network-change.js';
import { nodeNetwork } from './nodes.js';
import { plain, toNodeRow, visible, WITH_ADDRESSES } from './rows.js';

/** How long a replaced key is accepted at the most, milliseconds. */
export const KEY_OVERLAP = 600_000;

interface Rotated {
  readonly node: NodeRow;
  readonly network: NetworkRow;
}

/**
 * Gives an agent another WireGuard key; the one before it is accepted by all for a while, or banned at once if it is in wrong
 * hands. The same record again: the same answer.
 * @throws WarrenError `not-found`, `bad-request`, `node-not-active`, `key-banned`, `key-taken`, `key-changed`.
 */
export async function rotateKey(database: Database, input: KeyRotation, actor: Actor): Promise<Rotated> {
  if (!parsePublicKey(input.publicKey)) throw badRequest('the WireGuard key must be 32 bytes in base64');
  const networkId = await nodeNetwork(database, input.nodeId);
  return changeNetwork(database, networkId, actor, async (tx, network) => {
    const before = await agentNode(tx, input.nodeId);
    if (isCurrent(before, input)) return repeated(network, before);
    if (before.publicKey !== input.replaces) throw keyChanged(before);
    await checkKeys(tx, network, input.publicKey, null);
    await noteKeys(tx, network.id, before, input);
    const data = { ...newKey(network, before, input), ...previousKey(before, input) };
    const row = await tx.node.update({ where: { id: before.id }, data, include: WITH_ADDRESSES });
    const node = toNodeRow(row);
    const details = { from: before.publicKey, to: input.publicKey, generation: input.generation, ...hint(input) };
    const audit = { action: 'node.rotate-key', subject: before.id, details };
    const change = { nodeId: before.id, before: visible(before), after: visible(node), audit };
    return { result: { node, network }, change };
  });
}

/**
 * Asks for another key: the agent makes one when it hears of it. `generationOf` reads a record.
 * @throws WarrenError `not-found`, `vanilla-key`, `node-not-active`.
 */
export async function requestRotation(
  database: Database,
  id: NodeId,
  generationOf: (record: SignedRecord) => number,
  actor: Actor,
): Promise<NodeRow> {
  const networkId = await nodeNetwork(database, id);
  return changeNetwork(database, networkId, actor, async (tx) => {
    const before = await agentNode(tx, id);
    const wanted = generationOf(before.record) + 1;
    if (before.rotateGeneration === wanted) return { result: before, change: null };
    const data = { rotateGeneration: BigInt(wanted) };
    const after = toNodeRow(await tx.node.update({ where: { id }, data, include: WITH_ADDRESSES }));
    const audit = { action: 'node.request-rotation', subject: id, details: { generation: wanted } };
    return { result: after, change: { nodeId: id, before: visible(before), after: visible(after), audit } };
  });
}

/** @throws WarrenError `not-found`. @returns whether this call ended it: of several replicas one does. */
export async function endKeyOverlap(
  database: Database,
  id: NodeId,
  previous: PublicKey,
  actor: Actor,
): Promise<boolean> {
  const networkId = await nodeNetwork(database, id);
  return changeNetwork(database, networkId, actor, async (tx) => {
    const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
    if (!row) throw nodeNotFound(id);
    if (row.previousPublicKey !== previous) return { result: false, change: null };
    const ended = await tx.node.update({ where: { id }, data: NO_PREVIOUS_KEY, include: WITH_ADDRESSES });
    const [before, after] = [visible(toNodeRow(row)), visible(toNodeRow(ended))];
    const audit = { action: 'node.end-key-overlap', subject: id, details: { publicKey: previous } };
    return { result: true, change: { nodeId: id, before, after, audit } };
  });
}

/** Nodes of all networks that have two keys, by the database's clock. */
export async function keyOverlaps({ sql }: Database): Promise<readonly KeyOverlap[]> {
  const rows = await sql<{ id: string; network: string; previous: string; left: number }[]>`
    SELECT id, network_id AS network, previous_public_key AS previous,
      (extract(epoch FROM overlap_until - clock_timestamp()) * 1000)::float8 AS left
    FROM node WHERE previous_public_key IS NOT NULL ORDER BY overlap_until, id`;
  return rows.map(({ id, network, previous, left }) => ({
    ...{ nodeId: id as NodeId, networkId: network as NetworkId, previous: previous as PublicKey },
    leftMs: left ?? 0,
  }));
}

const NO_PREVIOUS_KEY = {
  previousPublicKey: null,
  previousRecord: null,
  previousSignature: null,
  overlapUntil: null,
} as const;

/** An agent that is a member; the row stays as it is until the transaction ends. */
async function agentNode(tx: Transaction, id: NodeId): Promise<AgentRow> {
  const row = isUuid(id) ? await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES }) : null;
  if (!row) throw nodeNotFound(id);
  const node = toNodeRow(row);
  if (!node.record || node.publicKey === null) {
    const text = `node "${node.name}" is a vanilla member: make a key where it runs, then \`warren node set ${node.name} --public-key KEY\`, or PATCH publicKey`;
    throw new WarrenError('vanilla-key', text);
  }
  if (node.status !== 'active') {
    const text = `node "${node.name}" is ${node.status}: only an active node can change its key`;
    throw new WarrenError('node-not-active', text);
  }
  return { ...node, publicKey: node.publicKey, record: node.record };
}

type AgentRow = NodeRow & { readonly publicKey: PublicKey; readonly record: SignedRecord };

const isCurrent = (node: AgentRow, { publicKey, record }: KeyRotation): boolean =>
  node.publicKey === publicKey && equalBytes(node.record.record, record.record);

/** The answer was lost. Rolled back, so the revision is the one before. */
function repeated(network: NetworkRow, node: AgentRow): Outcome<Rotated> {
  return { result: { node, network: { ...network, revision: network.revision - 1 } }, change: null };
}

/** Who runs another WireGuard has the old key in a file. */
const hint = ({ compromised }: KeyRotation) => ({
  compromised,
  vanilla: compromised
    ? 'vanilla members are cut off until they have their new file'
    : 'vanilla members need their new file within ten minutes',
});

/** The old key stays this node's in the history, so that nobody else can ever have it. */
async function noteKeys(tx: Transaction, networkId: NetworkId, before: AgentRow, input: KeyRotation): Promise<void> {
  const mine = { networkId, kind: 'wireguard', nodeId: before.id };
  await tx.nodeKey.updateMany({ where: { ...mine, state: 'current' }, data: { state: 'past' } });
  await tx.nodeKey.create({ data: { ...mine, key: wireguardKeyBytes(input.publicKey), state: 'current' } });
  if (!input.compromised) return;
  await banKey(tx, networkId, before.publicKey);
  // Whoever could read the key in use may have read the one before it, too.
  if (before.previousKey) await banKey(tx, networkId, before.previousKey.publicKey);
}

async function banKey(tx: Transaction, networkId: NetworkId, publicKey: PublicKey): Promise<void> {
  const where = { networkId, kind: 'wireguard', key: wireguardKeyBytes(publicKey) };
  await tx.nodeKey.updateMany({ where, data: { state: 'banned', bannedAt: new Date() } });
}

function newKey(network: NetworkRow, before: AgentRow, { publicKey, record, generation }: KeyRotation) {
  const now = new Date();
  const { keyExpiryMs } = network;
  return {
    publicKey,
    record: plain(record.record),
    signature: plain(record.signature),
    keyChangedAt: now,
    keyExpiresAt: keyExpiryMs === null ? null : new Date(now.getTime() + keyExpiryMs),
    ...(generation >= (before.rotateGeneration ?? 0) && { rotateGeneration: null }),
  };
}

function previousKey({ publicKey, record }: AgentRow, { compromised }: KeyRotation) {
  if (compromised) return NO_PREVIOUS_KEY;
  return {
    previousPublicKey: publicKey,
    previousRecord: plain(record.record),
    previousSignature: plain(record.signature),
    overlapUntil: new Date(Date.now() + KEY_OVERLAP),
  };
}

const keyChanged = (node: NodeRow): WarrenError =>
  new WarrenError('key-changed', `the key of node "${node.name}" was changed meanwhile: try again`);
