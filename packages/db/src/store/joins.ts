import { KEY_LENGTH, type NetworkId, parsePublicKey, publicKeyBytes, WarrenError } from '@warren/base';
import type { Role } from '@warren/topology';
import type { Actor, JoinInput, NetworkRow, NodeRow } from '../store-api.js';
import { badRequest, checkListenPort, checkName, isUuid } from './checks.js';
import type { Database, Transaction } from './database.js';
import { added, addMember, checkKeys, checkNameIsFree, endpointFor, keyTaken } from './members.js';
import { changeNetwork, type Outcome } from './network-change.js';
import { keyExpiryFrom } from './network-times.js';
import { type NodeWithAddresses, plain, toNodeRow, WITH_ADDRESSES } from './rows.js';
import { memberToTakeOver, takeOver } from './take-over.js';
import { isSecret, spendToken, type TokenGrant, tokenRefusal, tokenUnknown } from './tokens.js';

/** The answer to a join; `repeated`: it was given before. */
export interface Joined {
  readonly node: NodeRow;
  readonly network: NetworkRow;
  readonly repeated: boolean;
}

/** Trades a use of a token for a node; the same (token, identity key) again gets the same answer and spends nothing. */
export async function join(database: Database, input: JoinInput, actor: Actor, rest: number): Promise<Joined> {
  checkInput(input);
  const token = await database.prisma.joinToken.findUnique({ where: { id: input.tokenId } });
  if (!token || !isSecret(input.tokenSecret, token.secretHash)) throw tokenUnknown();
  try {
    return await changeNetwork(database, token.networkId as NetworkId, actor, async (tx, network) => {
      const before = await findRepeated(tx, network, input);
      if (before?.status === 'expired') return rejoin(tx, network, before, input);
      if (before) return unchanged(before, network);
      const member = await memberToTakeOver(tx, network, input);
      return member ? takeOver(tx, network, member, input) : joinNew(tx, network, input, rest);
    });
  } catch (error) {
    // The network was deleted in between, and its tokens with it.
    throw error instanceof WarrenError && error.code === 'not-found' ? tokenUnknown() : error;
  }
}

async function joinNew(tx: Transaction, network: NetworkRow, input: JoinInput, rest: number): Promise<Outcome<Joined>> {
  await checkKeys(tx, network, input.publicKey, input.record.identityKey);
  const token = await spendToken(tx, input.tokenId);
  const role = roleFor(token, input.role);
  await checkNameIsFree(tx, network, input.name);
  const { nodeId: id, name, listenPort, publicKey, record } = input;
  const endpoint = endpointFor(role, input.endpoint);
  const member = { id, name, role, endpoint, listenPort, publicKey, record, kind: 'agent' as const };
  const { tags, ephemeral } = token;
  const status = token.approval ? 'pending' : 'active';
  const node = await addMember(tx, network, { ...member, status, tags, ephemeral }, rest);
  await noteUse(tx, input);
  return added(node, { node, network, repeated: false }, 'node.join', { token: input.tokenId });
}

/** The node of an earlier use may have been deleted, or have expired: this is a use of its own. */
async function noteUse(tx: Transaction, { tokenId, nodeId: id, record }: JoinInput): Promise<void> {
  const use = { tokenId, identityKey: plain(record.identityKey) };
  await tx.tokenUse.upsert({
    where: { tokenId_identityKey: use },
    update: { nodeId: id, usedAt: new Date() },
    create: { ...use, nodeId: id },
  });
}

/** An expired node comes back with name, role, tags and addresses of before, for a use of a token that is still good. */
async function rejoin(
  tx: Transaction,
  network: NetworkRow,
  row: NodeWithAddresses,
  input: JoinInput,
): Promise<Outcome<Joined>> {
  const token = await spendToken(tx, input.tokenId);
  roleFor(token, row.role as Role);
  const keys = input.publicKey === row.publicKey ? {} : await replaceKey(tx, network, input);
  const { record, signature } = input.record;
  const data = {
    ...keys,
    status: token.approval ? 'pending' : 'active',
    keyExpiresAt: keyExpiryFrom(network, new Date()),
    record: plain(record),
    signature: plain(signature),
    listenPort: input.listenPort ?? row.listenPort,
    endpoint: row.role === 'client' ? null : (input.endpoint ?? row.endpoint),
  };
  const node = toNodeRow(await tx.node.update({ where: { id: row.id }, data, include: WITH_ADDRESSES }));
  await noteUse(tx, input);
  return added(node, { node, network, repeated: false }, 'node.rejoin', { token: input.tokenId });
}

/** Nobody accepts the key before any more: it has expired. @throws WarrenError `key-banned`, `key-taken`. */
async function replaceKey(tx: Transaction, network: NetworkRow, { nodeId: id, publicKey }: JoinInput) {
  await checkKeys(tx, network, publicKey, null);
  await tx.nodeKey.updateMany({ where: { nodeId: id, kind: 'wireguard', state: 'current' }, data: { state: 'past' } });
  const key = { kind: 'wireguard', key: plain(publicKeyBytes(publicKey)), state: 'current' };
  await tx.nodeKey.create({ data: { ...key, networkId: network.id, nodeId: id } });
  const none = { previousPublicKey: null, previousRecord: null, previousSignature: null, overlapUntil: null };
  return { publicKey, keyChangedAt: new Date(), ...none };
}

/**
 * The node that this join made before: by the same token whatever has become of that, or by another one that is
 * still good. An expired one may have another WireGuard key by now.
 * @throws WarrenError `key-banned` when it was revoked, `key-taken` when it has other keys.
 */
async function findRepeated(
  tx: Transaction,
  network: NetworkRow,
  input: JoinInput,
): Promise<NodeWithAddresses | undefined> {
  const identityKey = plain(input.record.identityKey);
  const use = await tx.tokenUse.findUnique({
    where: { tokenId_identityKey: { tokenId: input.tokenId, identityKey } },
    include: { node: { include: WITH_ADDRESSES } },
  });
  const where = { networkId: network.id, identityKey, status: { not: 'revoked' } };
  const node = use?.node ?? (await tx.node.findFirst({ where, include: WITH_ADDRESSES }));
  if (!node || node.status === 'revoked') return undefined; // a revoked node's keys are refused like any banned ones
  if (node.id !== input.nodeId) throw keyTaken(network, 'identity');
  if (node.status === 'expired') return node;
  if (node.publicKey !== input.publicKey) throw keyTaken(network, 'identity');
  if (use?.node) return node;
  const token = await tx.joinToken.findUnique({ where: { id: input.tokenId } });
  const refusal = token ? tokenRefusal(token) : tokenUnknown();
  if (refusal) throw refusal;
  return node;
}

/** Rolled back, so the revision is the one before. */
function unchanged(node: NodeWithAddresses, network: NetworkRow): Outcome<Joined> {
  const result = { node: toNodeRow(node), network: { ...network, revision: network.revision - 1 }, repeated: true };
  return { result, change: null };
}

/** The token's role wins over none given. */
function roleFor({ role: fixed }: Pick<TokenGrant, 'role'>, given: Role | null): Role {
  if (fixed && given && fixed !== given) {
    const text = `the token is for role ${fixed}, not ${given}: leave --role out, or use another token`;
    throw new WarrenError('role-conflict', text);
  }
  return fixed ?? given ?? 'client';
}

function checkInput(input: JoinInput): void {
  checkName('node', input.name);
  if (!isUuid(input.nodeId)) throw badRequest('the node id must be a UUID');
  if (!parsePublicKey(input.publicKey)) throw badRequest('the WireGuard key must be 32 bytes in base64');
  if (input.record.identityKey.length !== KEY_LENGTH) throw badRequest('the identity key must have 32 bytes');
  if (input.listenPort !== null) checkListenPort(input.listenPort);
}
