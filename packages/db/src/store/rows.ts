import {
  fromBase64,
  type HostPort,
  type IpAddress,
  invariant,
  ipFamily,
  networkId,
  nodeId,
  type Prefix,
  type PublicKey,
  parseIpAddress,
  toBase64,
} from '@warren/base';
import type { NetworkNode, NodeKind, NodeStatus, Role, SignedRecord } from '@warren/topology';
import type * as Rows from '../gen/prisma/client.js';
import type { NetworkRow, NodeRow, TokenRow, TombstoneRow } from '../store-api.js';

/** A node with the addresses that it has. */
export type NodeWithAddresses = Rows.Node & { readonly addresses: readonly { readonly address: string }[] };
/** Reads them together. */
export const WITH_ADDRESSES = { addresses: { select: { address: true } } } as const;

/** 64-bit revisions become numbers: 2^53 of them are more than any network sees. */
export function toNetworkRow(row: Rows.Network): NetworkRow {
  return {
    id: networkId(row.id),
    name: row.name,
    cidrs: row.cidrs as Prefix[],
    mtu: row.mtu,
    epoch: row.epoch,
    revision: Number(row.revision),
    createdAt: row.createdAt,
  };
}

/** A row with its addresses as the contract has it. */
export function toNodeRow(row: NodeWithAddresses): NodeRow {
  return {
    ...toNetworkNode(row),
    networkId: networkId(row.networkId),
    status: row.status as NodeStatus,
    tags: row.tags,
    ephemeral: row.ephemeral,
    listenPort: row.listenPort,
    startGeneration: Number(row.startGeneration),
    createdAt: row.createdAt,
    revokedAt: row.revokedAt,
  };
}

/** The part of a node that others see. */
export function toNetworkNode(row: NetworkNodeColumns): NetworkNode {
  return {
    id: nodeId(row.id),
    name: row.name,
    role: row.role as Role,
    kind: row.kind as NodeKind,
    publicKey: row.publicKey as PublicKey,
    addresses: sortAddresses(row.addresses.map(({ address }) => address)),
    ...(row.endpoint !== null && { endpoint: row.endpoint as HostPort }),
    ...(row.unavailable && { unavailable: true }),
    ...(row.signalPort !== null && { signalPort: row.signalPort }),
    ...optionalRecord(row),
  };
}

type NetworkNodeColumns = Pick<
  NodeWithAddresses,
  | 'id'
  | 'name'
  | 'role'
  | 'kind'
  | 'publicKey'
  | 'addresses'
  | 'endpoint'
  | 'unavailable'
  | 'signalPort'
  | 'record'
  | 'identityKey'
  | 'signature'
>;

/** Leaves the hash behind. */
export function toTokenRow(row: Rows.JoinToken): TokenRow {
  return {
    id: row.id,
    networkId: networkId(row.networkId),
    role: row.role as Role | null,
    tags: row.tags,
    ephemeral: row.ephemeral,
    maxUses: row.maxUses,
    uses: row.uses,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    createdAt: row.createdAt,
  };
}

/** As others see it: nobody but active nodes. */
export const visible = (node: NodeRow): NetworkNode | null => {
  if (node.status !== 'active') return null;
  const { id, name, role, kind, publicKey, addresses, endpoint, unavailable, signalPort, record } = node;
  return {
    ...{ id, name, role, kind, publicKey, addresses },
    ...(endpoint && { endpoint }),
    ...(unavailable && { unavailable }),
    ...(signalPort !== undefined && { signalPort }),
    ...(record && { record }),
  };
};

/** A node in the change log: bytes as base64, everything else as it is. */
export interface LoggedNode extends Omit<NetworkNode, 'record'> {
  readonly record?: { readonly record: string; readonly identityKey: string; readonly signature: string };
}

/** For the change log; `fromLoggedNode` is its inverse. */
export function toLoggedNode({ record, ...node }: NetworkNode): LoggedNode {
  if (!record) return node;
  const { record: signed, identityKey, signature } = record;
  return {
    ...node,
    record: { record: toBase64(signed), identityKey: toBase64(identityKey), signature: toBase64(signature) },
  };
}

/** Bytes come back as new arrays. */
export function fromLoggedNode({ record, ...node }: LoggedNode): NetworkNode {
  if (!record) return node;
  const signed: SignedRecord = {
    record: bytes(record.record),
    identityKey: bytes(record.identityKey),
    signature: bytes(record.signature),
  };
  return { ...node, record: signed };
}

/** A tombstone in the change log, base64. */
export interface LoggedTombstone {
  readonly tombstone: string;
  readonly signature: string;
}

/** For the change log; `fromLoggedTombstone` is its inverse. */
export const toLoggedTombstone = ({ tombstone, signature }: TombstoneRow): LoggedTombstone => ({
  tombstone: toBase64(tombstone),
  signature: toBase64(signature),
});

/** Bytes come back as new arrays, equal to those that were signed. */
export const fromLoggedTombstone = ({ tombstone, signature }: LoggedTombstone): TombstoneRow => ({
  tombstone: bytes(tombstone),
  signature: bytes(signature),
});

/** IPv4 first, in canonical text whatever PostgreSQL writes. */
export function sortAddresses(texts: readonly string[]): IpAddress[] {
  const addresses = texts.map((text) => {
    const address = parseIpAddress(text.replace(/\/\d+$/, ''));
    invariant(address, `the database holds ${text} as an address`);
    return address;
  });
  return addresses.sort((a, b) => ipFamily(a) - ipFamily(b));
}

function optionalRecord(row: NetworkNodeColumns): { record?: SignedRecord } {
  const { record, identityKey, signature } = row;
  return record && identityKey && signature
    ? { record: { record: plain(record), identityKey: plain(identityKey), signature: plain(signature) } }
    : {};
}

/** Drivers give Buffers, which compare and print differently. */
export const plain = (given: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(given);

function bytes(text: string): Uint8Array {
  const decoded = fromBase64(text);
  invariant(decoded, 'the change log holds broken base64');
  return decoded;
}
