import { type HostPort, type PublicKey, parsePublicKey, WarrenError } from '@warren/base';
import type { JoinInput, NetworkRow, NodeRow } from '../store-api.js';
import { isUuid } from './checks.js';
import type { Database, Transaction } from './database.js';
import { endpointFor, keyTaken } from './members.js';
import type { Outcome } from './network-change.js';
import { plain, toNodeRow, visible, WITH_ADDRESSES } from './rows.js';
import { spendToken } from './tokens.js';

/**
 * The vanilla member of a network that has this WireGuard key: an agent on its host may take it over. Whoever asks has a
 * good token; that it holds the key is proven by the join.
 */
export async function findVanillaByKey(
  { prisma }: Pick<Database, 'prisma'>,
  networkId: NetworkRow['id'],
  publicKey: PublicKey,
): Promise<NodeRow | undefined> {
  if (!isUuid(networkId) || !parsePublicKey(publicKey)) return undefined;
  const where = { networkId, publicKey, kind: 'vanilla', status: 'active' };
  const row = await prisma.node.findFirst({ where, include: WITH_ADDRESSES });
  return row ? toNodeRow(row) : undefined;
}

/** The member that a join takes over: it has the key of the join, and the join's record says its id. */
export async function memberToTakeOver(
  tx: Transaction,
  network: NetworkRow,
  input: JoinInput,
): Promise<NodeRow | undefined> {
  const where = {
    id: input.nodeId,
    networkId: network.id,
    publicKey: input.publicKey,
    kind: 'vanilla',
    status: 'active',
  };
  const row = await tx.node.findFirst({ where, include: WITH_ADDRESSES });
  return row ? toNodeRow(row) : undefined;
}

/**
 * A vanilla member becomes an agent: same id, name, role, addresses, endpoint and WireGuard key; from now on its identity
 * vouches for it. One use of the token, whose tags come on top. It was a member before, so it does not wait for approval.
 * @throws WarrenError `token-…`, `role-conflict`, `key-taken`, `key-banned`, `endpoint-missing`.
 */
export async function takeOver(
  tx: Transaction,
  network: NetworkRow,
  before: NodeRow,
  input: JoinInput,
): Promise<Outcome<{ node: NodeRow; network: NetworkRow; repeated: boolean }>> {
  const { record, identityKey, signature } = input.record;
  const identity = { networkId: network.id, kind: 'identity', key: plain(identityKey) };
  const known = await tx.nodeKey.findUnique({ where: { networkId_kind_key: identity } });
  if (known) throw keyTaken(network, 'identity');
  const token = await spendToken(tx, input.tokenId);
  checkRole(before, token.role ?? input.role, token.role ? 'the token is' : 'this join is');
  const endpoint: HostPort | null = endpointFor(before.role, before.endpoint ?? input.endpoint);
  const data = {
    ...{ kind: 'agent', endpoint, listenPort: input.listenPort, ephemeral: token.ephemeral },
    ...{ record: plain(record), identityKey: plain(identityKey), signature: plain(signature) },
    tags: [...new Set([...before.tags, ...token.tags])],
    keyExpiresAt: network.keyExpiryMs === null ? null : new Date(Date.now() + network.keyExpiryMs),
    // It read files for a host that follows the control plane itself from now on.
    ...{ configKeyHash: null, configKeyCreatedAt: null },
  };
  const row = await tx.node.update({ where: { id: before.id }, data, include: WITH_ADDRESSES });
  await tx.nodeKey.create({ data: { ...identity, nodeId: before.id, state: 'current' } });
  const use = { tokenId: input.tokenId, identityKey: plain(identityKey) };
  await tx.tokenUse.create({ data: { ...use, nodeId: before.id } });
  const node = toNodeRow(row);
  const { name, role, addresses, publicKey } = node;
  const details = { name, role, addresses, publicKey, token: input.tokenId };
  const audit = { action: 'node.take-over', subject: node.id, details };
  const change = { nodeId: node.id, before: visible(before), after: visible(node), audit };
  return { result: { node, network, repeated: false }, change };
}

function checkRole({ name, role }: NodeRow, asked: string | null, who: string): void {
  if (asked === null || asked === role) return;
  const text = `${who} for role ${asked}, but "${name}", which has this key, is a ${role}: use a token without a role, or for ${role}`;
  throw new WarrenError('role-conflict', text);
}
