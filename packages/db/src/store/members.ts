import { type HostPort, type IpAddress, type NodeId, type PublicKey, publicKeyBytes, WarrenError } from '@warren/base';
import type { ConfSettings, NodeKind, Role, SignedRecord } from '@warren/topology';
import type { Prisma } from '../gen/prisma/client.js';
import type { Actor, NetworkRow, NodeRow } from '../store-api.js';
import { takeAddresses } from './addresses.js';
import { badRequest, nameTaken } from './checks.js';
import type { Transaction } from './database.js';
import type { Outcome } from './network-change.js';
import { keyExpiryFrom } from './network-times.js';
import { plain, toNodeRow, visible } from './rows.js';

/** A node that is about to be. */
export interface NewMember {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly kind: NodeKind;
  /** `pending`: it waits for approval. */
  readonly status: 'active' | 'pending';
  readonly tags: readonly string[];
  readonly ephemeral: boolean;
  /** Null: a vanilla member that waits for its key. */
  readonly publicKey: PublicKey | null;
  readonly settings?: ConfSettings;
  readonly endpoint: HostPort | null;
  readonly listenPort: number | null;
  readonly record: SignedRecord | null;
  /** Those that it shall have; a family that is left out is found. */
  readonly addresses?: readonly IpAddress[];
  /** What is kept of its config key. */
  readonly keptKey?: { readonly configKeyHash: Uint8Array<ArrayBuffer>; readonly configKeyCreatedAt: Date };
}

type KeyKind = 'wireguard' | 'identity';

/** Refuses keys that were revoked, or that another node has or had. @throws WarrenError `key-banned`, `key-taken`. */
export async function checkKeys(
  tx: Transaction,
  network: NetworkRow,
  publicKey: PublicKey,
  identityKey: Uint8Array | null,
): Promise<void> {
  const found = await tx.nodeKey.findMany({ where: { networkId: network.id, OR: keysOf(publicKey, identityKey) } });
  if (found.some(({ state }) => state === 'banned')) {
    const text = `this host's keys were revoked in network "${network.name}": remove its state directory to join with new ones`;
    throw new WarrenError('key-banned', text);
  }
  if (found[0]) throw keyTaken(network, found[0].kind as KeyKind);
}

/** Refuses a key that another node of the network has or had. */
export const keyTaken = (network: NetworkRow, kind: KeyKind): WarrenError => {
  const what = kind === 'wireguard' ? 'WireGuard key' : 'identity';
  return new WarrenError(
    'key-taken',
    `another node of network "${network.name}" has this ${what}: make new keys, or delete that node first`,
  );
};

/** @throws WarrenError `name-taken` when a node that is not revoked has it. */
export async function checkNameIsFree(tx: Transaction, network: NetworkRow, name: string): Promise<void> {
  const where = { networkId: network.id, name, status: { not: 'revoked' } };
  if (await tx.node.findFirst({ where, select: { id: true } })) throw nameTaken('node', name);
}

/** @throws WarrenError `endpoint-missing`. @returns the endpoint that is kept: clients have none. */
export function endpointFor(role: Role, endpoint: HostPort | null): HostPort | null {
  if (role === 'client') return null;
  if (endpoint) return endpoint;
  const text = `a ${role} node must say how others reach it: give --endpoint host:port`;
  throw new WarrenError('endpoint-missing', text);
}

/** Writes a node whose keys and name were found free, with its addresses. */
export async function addMember(
  tx: Transaction,
  network: NetworkRow,
  member: NewMember,
  rest: number,
): Promise<NodeRow> {
  const { record, publicKey, tags, settings = {}, addresses: wanted, keptKey, ...columns } = member;
  await checkIdIsNotRevoked(tx, network, member.id);
  if (await tx.node.findUnique({ where: { id: member.id }, select: { id: true } })) {
    throw badRequest(`a node with id ${member.id} exists: make a new id`);
  }
  const row = await tx.node.create({
    data: {
      ...columns,
      ...keptKey,
      networkId: network.id,
      status: publicKey === null ? 'pending' : member.status,
      keyExpiresAt: member.kind === 'agent' ? keyExpiryFrom(network, new Date()) : null,
      tags: [...tags],
      settings: settings as Prisma.InputJsonObject,
      publicKey,
      record: record && plain(record.record),
      identityKey: record && plain(record.identityKey),
      signature: record && plain(record.signature),
    },
  });
  const keys = publicKey === null ? [] : keysOf(publicKey, record?.identityKey ?? null);
  await tx.nodeKey.createMany({
    data: keys.map((key) => ({ ...key, networkId: network.id, nodeId: member.id, state: 'current' })),
  });
  const addresses = await takeAddresses(tx, network, member, rest, wanted);
  return toNodeRow({ ...row, addresses: addresses.map((address) => ({ address })) });
}

/** A tombstone outlives its node, names it by id too, and outranks whatever comes after: that id can be no member again. */
async function checkIdIsNotRevoked(tx: Transaction, network: NetworkRow, id: NodeId): Promise<void> {
  const where = { networkId_nodeId: { networkId: network.id, nodeId: id } };
  if (!(await tx.tombstone.findUnique({ where, select: { nodeId: true } }))) return;
  const text = `node ${id} was revoked in network "${network.name}": remove this host's state directory to join as a new node`;
  throw new WarrenError('key-banned', text);
}

/** The outcome of a transaction that added `node`. */
export function added<T>(node: NodeRow, result: T, action: string, by: Readonly<Record<string, Actor>>): Outcome<T> {
  const { name, role, kind, status, addresses, publicKey } = node;
  const audit = { action, subject: node.id, details: { name, role, kind, status, addresses, publicKey, ...by } };
  return { result, change: { nodeId: node.id, before: null, after: visible(node), audit } };
}

/** As the history of keys has it. */
export const wireguardKeyBytes = (publicKey: PublicKey): Uint8Array<ArrayBuffer> => plain(publicKeyBytes(publicKey));

function keysOf(publicKey: PublicKey, identityKey: Uint8Array | null) {
  const wireguard: { kind: KeyKind; key: Uint8Array<ArrayBuffer> } = {
    kind: 'wireguard',
    key: wireguardKeyBytes(publicKey),
  };
  return identityKey ? [wireguard, { kind: 'identity' as KeyKind, key: plain(identityKey) }] : [wireguard];
}
