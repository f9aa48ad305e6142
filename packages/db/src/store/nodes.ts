import { type NetworkId, type NodeId, parseHostPort, parseIpAddress, parsePublicKey, WarrenError } from '@warren/base';
import type { Prisma } from '../gen/prisma/client.js';
import type { Actor, NodeChange, NodeRow, Page, PageQuery } from '../store-api.js';
import type { NodeFilter } from '../store-requests.js';
import { moveAddresses } from './addresses.js';
import { badRequest, checkListenPort, checkName, isUuid, nodeNotFound } from './checks.js';
import type { Database } from './database.js';
import { checkNameIsFree, endpointFor } from './members.js';
import { changeNetwork } from './network-change.js';
import { pageArguments, toPage } from './pages.js';
import { plain, toNodeRow, visible, WITH_ADDRESSES } from './rows.js';
import { checkTags } from './tokens.js';
import { vanillaChange } from './vanilla-members.js';

/** Who is still a member comes before who was, and of those the newest. */
const MEMBERS_FIRST = [
  { revokedAt: { sort: 'desc', nulls: 'first' } },
  { createdAt: 'desc' },
] as const satisfies unknown[];

/** Oldest first. @throws WarrenError `bad-request` for limit or cursor. */
export async function listNodes({ prisma }: Database, filter?: NodeFilter & PageQuery): Promise<Page<NodeRow>> {
  const { where, ...page } = pageArguments(filter);
  if (filter?.networkId !== undefined && !isUuid(filter.networkId)) return { items: [], nextCursor: null };
  const conditions: Prisma.NodeWhereInput = {
    ...(filter?.networkId && { networkId: filter.networkId }),
    ...(filter?.status && { status: filter.status }),
    ...(filter?.role && { role: filter.role }),
    ...(filter?.kind && { kind: filter.kind }),
    ...(filter?.tag && { tags: { has: filter.tag } }),
  };
  const rows = await prisma.node.findMany({
    ...page,
    where: { AND: [where, conditions, filter?.q ? matching(filter.q) : {}] },
    include: WITH_ADDRESSES,
  });
  return toPage(filter, rows, toNodeRow);
}

/** Part of a name, or a whole tag, WireGuard key, address or id. */
function matching(q: string): Prisma.NodeWhereInput {
  // Prisma hands it to LIKE as it is.
  const text = q.replace(/[\\%_]/g, '\\$&');
  const address = parseIpAddress(q);
  return {
    OR: [
      { name: { contains: text, mode: 'insensitive' } },
      { tags: { has: q } },
      ...(parsePublicKey(q) ? [{ publicKey: q }] : []),
      ...(isUuid(q) ? [{ id: q }] : []),
      ...(address ? [{ addresses: { some: { address } } }] : []),
    ],
  };
}

/** @throws WarrenError `bad-request` when a name is found in several networks and none was given. */
export async function findNode(
  { prisma }: Database,
  idOrName: string,
  networkId?: NetworkId,
): Promise<NodeRow | undefined> {
  if (networkId !== undefined && !isUuid(networkId)) return undefined;
  const within = networkId ? { networkId } : {};
  const byId = isUuid(idOrName)
    ? await prisma.node.findFirst({ where: { id: idOrName, ...within }, include: WITH_ADDRESSES })
    : null;
  if (byId) return toNodeRow(byId);
  const rows = await prisma.node.findMany({
    where: { name: idOrName, ...within },
    include: WITH_ADDRESSES,
    orderBy: [...MEMBERS_FIRST],
    take: 20,
  });
  const members = rows.filter(({ status }) => status !== 'revoked');
  if (members.length > 1) {
    throw badRequest(`several networks have a node "${idOrName}": say which one with --network, or use its id`);
  }
  const row = members[0] ?? rows[0];
  return row ? toNodeRow(row) : undefined;
}

/** Revoked nodes are found too, after those that are members. */
export async function findNodeByIdentity(
  { prisma }: Database,
  identityKey: Uint8Array,
  networkId?: NetworkId,
): Promise<NodeRow | undefined> {
  if (networkId !== undefined && !isUuid(networkId)) return undefined;
  const row = await prisma.node.findFirst({
    where: { identityKey: plain(identityKey), ...(networkId && { networkId }) },
    include: WITH_ADDRESSES,
    orderBy: [...MEMBERS_FIRST],
  });
  return row ? toNodeRow(row) : undefined;
}

/**
 * @throws WarrenError `not-found`, `name-taken`, `node-revoked`, `endpoint-missing`, `address-taken`, `not-vanilla`,
 * `key-banned`, `key-taken`, `bad-request`.
 */
export async function updateNode(
  database: Database,
  id: NodeId,
  change: NodeChange,
  actor: Actor,
  rest: number,
): Promise<NodeRow> {
  checkChange(change);
  const found = await nodeNetwork(database, id);
  return changeNetwork(database, found, actor, async (tx, network) => {
    const row = await tx.node.findUnique({ where: { id }, include: WITH_ADDRESSES });
    if (!row) throw nodeNotFound(id);
    const before = toNodeRow(row);
    if (before.status === 'revoked') {
      throw new WarrenError('node-revoked', `node "${before.name}" was revoked: it can only be deleted`);
    }
    const columns = changedColumns(before, change);
    const { addresses } = change;
    const name = columns.name ?? before.name;
    const moved = addresses ? await moveAddresses(tx, network, { ...before, name }, addresses, rest) : false;
    const more = await vanillaChange(tx, network, before, change);
    const data = { ...columns, ...more.data };
    if (!moved && Object.keys(data).length === 0) return { result: before, change: null };
    if (columns.name !== undefined) await checkNameIsFree(tx, network, name);
    const after = toNodeRow(await tx.node.update({ where: { id }, data, include: WITH_ADDRESSES }));
    const details = { ...columns, name, ...more.details, ...(moved && { addresses: after.addresses }) };
    const audit = { action: 'node.update', subject: id, details };
    return { result: after, change: { nodeId: id, before: visible(before), after: visible(after), audit } };
  });
}

/** What of a change is one; with what follows from another role. */
function changedColumns(before: NodeRow, change: NodeChange): Prisma.NodeUpdateInput & { name?: string } {
  const { name = before.name, role = before.role, tags = before.tags, listenPort = before.listenPort } = change;
  if (change.endpoint && role === 'client') {
    throw badRequest(`node "${before.name}" is a client: only bounce and direct nodes have an endpoint`);
  }
  const servesSignals = role === 'bounce' && before.kind === 'agent';
  if (change.signalPort && !servesSignals) {
    throw badRequest(`node "${before.name}" is no bounce with an agent: only those run signal servers`);
  }
  const stays = role === before.role && change.endpoint === undefined;
  const endpoint = stays ? (before.endpoint ?? null) : endpointFor(role, change.endpoint ?? before.endpoint ?? null);
  const signalPort = servesSignals ? (change.signalPort ?? before.signalPort ?? null) : null;
  const port = change.signalPort === null ? null : signalPort;
  const unavailable = role === 'bounce' && before.unavailable === true;
  return {
    ...(name !== before.name && { name }),
    ...(role !== before.role && { role }),
    ...(tags.join(' ') !== before.tags.join(' ') && { tags: [...tags] }),
    ...(endpoint !== (before.endpoint ?? null) && { endpoint }),
    ...(listenPort !== before.listenPort && { listenPort }),
    ...(port !== (before.signalPort ?? null) && { signalPort: port }),
    ...(unavailable !== (before.unavailable === true) && { unavailable }),
  };
}

/** One statement, so that of two agents with the same generation one wins. Not a change: nobody else sees it. */
export async function claimGeneration(
  { sql }: Database,
  id: NodeId,
  generation: number,
  resuming: boolean,
): Promise<boolean> {
  if (!isUuid(id) || !Number.isSafeInteger(generation) || generation < 0) return false;
  const { count } = await sql`
    UPDATE node SET start_generation = ${generation},
      seen_at = CASE WHEN ephemeral THEN clock_timestamp() ELSE seen_at END
    WHERE id = ${id} AND (start_generation < ${generation} OR (${resuming} AND start_generation = ${generation}))`;
  return count === 1;
}

/** The network of a node. @throws WarrenError `not-found`. */
export async function nodeNetwork({ prisma }: Database, id: NodeId): Promise<NetworkId> {
  const row = isUuid(id) ? await prisma.node.findUnique({ where: { id }, select: { networkId: true } }) : null;
  if (!row) throw nodeNotFound(id);
  return row.networkId as NetworkId;
}

function checkChange({ name, tags, endpoint, listenPort, signalPort }: NodeChange): void {
  if (name !== undefined) checkName('node', name);
  if (tags !== undefined) checkTags(tags);
  if (listenPort !== undefined) checkListenPort(listenPort);
  if (signalPort === 0) throw badRequest('a signal server listens on a port of 1 to 65535');
  if (signalPort !== undefined && signalPort !== null) checkListenPort(signalPort);
  if (endpoint !== undefined && !parseHostPort(endpoint)) {
    throw badRequest('the endpoint must be host:port, such as 203.0.113.5:51820');
  }
}
