import { type NodeId, WarrenError } from '@warren/base';
import type { Actor, NetworkRow, NodeRow } from '../store-api.js';
import { nodeNotFound } from './checks.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork, type Outcome } from './network-change.js';
import { keyExpiryFrom } from './network-times.js';
import { nodeNetwork } from './nodes.js';
import { toNodeRow, visible, WITH_ADDRESSES } from './rows.js';

/** @throws WarrenError `not-found`, `node-revoked`, `node-expired`, `public-key-missing`. */
export async function approveNode(database: Database, id: NodeId, actor: Actor): Promise<NodeRow> {
  const found = await nodeNetwork(database, id);
  return changeNetwork(database, found, actor, async (tx, network) => {
    const before = await read(tx, id);
    if (before.status === 'active') return { result: before, change: null };
    checkApprovable(before);
    return change(tx, before, 'node.approve', { status: 'active', disabledAt: null, ...freshLife(network, before) });
  });
}

/** @throws WarrenError `not-found`, `node-not-active`. */
export async function disableNode(database: Database, id: NodeId, actor: Actor): Promise<NodeRow> {
  const found = await nodeNetwork(database, id);
  return changeNetwork(database, found, actor, async (tx) => {
    const before = await read(tx, id);
    if (before.status === 'pending' && before.disabledAt) return { result: before, change: null };
    if (before.status !== 'active' && before.status !== 'pending') {
      const text = `node "${before.name}" is ${before.status}: nobody sees it as it is`;
      throw new WarrenError('node-not-active', text);
    }
    return change(tx, before, 'node.disable', { status: 'pending', disabledAt: new Date() });
  });
}

async function read(tx: Transaction, id: NodeId): Promise<NodeRow> {
  const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
  if (!row) throw nodeNotFound(id);
  return toNodeRow(row);
}

function checkApprovable({ name, status, publicKey }: NodeRow): void {
  if (status === 'revoked') {
    throw new WarrenError('node-revoked', `node "${name}" was revoked: its keys cannot come back`);
  }
  if (status === 'expired') {
    throw new WarrenError('node-expired', `node "${name}" has expired: extend it, or let it join again with a token`);
  }
  if (publicKey === null) {
    throw new WarrenError('public-key-missing', `node "${name}" has no WireGuard key yet: set its public key instead`);
  }
}

/** A key may have run out while its node waited: who lets the node in now means it. */
function freshLife(network: NetworkRow, { keyExpiresAt }: NodeRow): { keyExpiresAt?: Date | null } {
  if (keyExpiresAt === undefined || keyExpiresAt > Date.now()) return {};
  return { keyExpiresAt: keyExpiryFrom(network, new Date()) };
}

async function change(
  tx: Transaction,
  before: NodeRow,
  action: string,
  data: { status: string; disabledAt: Date | null; keyExpiresAt?: Date | null },
): Promise<Outcome<NodeRow>> {
  const { id, name } = before;
  const after = toNodeRow(await tx.node.update({ where: { id }, data, include: WITH_ADDRESSES }));
  const audit = { action, subject: id, details: { name } };
  return { result: after, change: { nodeId: id, before: visible(before), after: visible(after), audit } };
}
