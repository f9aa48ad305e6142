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
import type {
  ConfSettings,
  NetworkNode,
  NodeKind,
  NodeStatus,
  PreviousKey,
  Role,
  SignedRecord,
} from '@warren/topology';
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
    pools: row.pools as Prefix[],
    settings: row.settings as ConfSettings,
    offlineToleranceMs: Number(row.offlineToleranceMs),
    keyExpiryMs: numberOrNull(row.keyExpiryMs),
    keyRotationMs: numberOrNull(row.keyRotationMs),
    ephemeralAfterMs: numberOrNull(row.ephemeralAfterMs),
    epoch: row.epoch,
    revision: Number(row.revision),
    createdAt: row.createdAt,
  };
}

/** A row with its addresses as the contract has it. */
export function toNodeRow(row: NodeWithAddresses): NodeRow {
  return {
    ...toNetworkNode(row),
    publicKey: row.publicKey as PublicKey | null,
    keyChangedAt: row.keyChangedAt,
    disabledAt: row.disabledAt,
    cloneNoticedAt: row.cloneNoticedAt,
    configKeyCreatedAt: row.configKeyCreatedAt,
    overlapUntil: row.overlapUntil,
    networkId: networkId(row.networkId),
    status: row.status as NodeStatus,
    tags: row.tags,
    ephemeral: row.ephemeral,
    listenPort: row.listenPort,
    startGeneration: Number(row.startGeneration),
    lastSeenAt: row.lastSeenAt,
    agentVersion: row.agentVersion,
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
    ...(row.previousPublicKey !== null && { previousKey: previousKey(row, row.previousPublicKey) }),
    ...(row.keyExpiresAt !== null && { keyExpiresAt: row.keyExpiresAt.getTime() }),
    ...(row.rotateGeneration !== null && { rotateGeneration: Number(row.rotateGeneration) }),
    ...(Object.keys(row.settings as object).length > 0 && { settings: row.settings as ConfSettings }),
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
  | 'previousPublicKey'
  | 'previousRecord'
  | 'previousSignature'
  | 'keyExpiresAt'
  | 'rotateGeneration'
  | 'settings'
>;

/** Leaves the hash behind. */
export function toTokenRow(row: Rows.JoinToken): TokenRow {
  return {
    id: row.id,
    networkId: networkId(row.networkId),
    name: row.name,
    role: row.role as Role | null,
    tags: row.tags,
    ephemeral: row.ephemeral,
    approval: row.approval,
    maxUses: row.maxUses,
    uses: row.uses,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    createdAt: row.createdAt,
  };
}

/** As others see it: nobody but active nodes. */
export const visible = (node: NodeRow): NetworkNode | null => {
  if (node.status !== 'active' || node.publicKey === null) return null;
  const { id, name, role, kind, publicKey, addresses, endpoint, unavailable, signalPort, record } = node;
  const { previousKey, keyExpiresAt, rotateGeneration, settings } = node;
  return {
    ...{ id, name, role, kind, publicKey, addresses },
    ...(previousKey && { previousKey }),
    ...(keyExpiresAt !== undefined && { keyExpiresAt }),
    ...(rotateGeneration !== undefined && { rotateGeneration }),
    ...(settings && { settings }),
    ...(endpoint && { endpoint }),
    ...(unavailable && { unavailable }),
    ...(signalPort !== undefined && { signalPort }),
    ...(record && { record }),
  };
};

/** A node in the change log: bytes as base64, everything else as it is. */
export interface LoggedNode extends Omit<NetworkNode, 'record' | 'previousKey'> {
  readonly record?: LoggedRecord;
  readonly previousKey?: { readonly publicKey: PublicKey; readonly record?: LoggedRecord };
}

interface LoggedRecord {
  readonly record: string;
  readonly identityKey: string;
  readonly signature: string;
}

/** For the change log; `fromLoggedNode` is its inverse. */
export function toLoggedNode({ record, previousKey, ...node }: NetworkNode): LoggedNode {
  return {
    ...node,
    ...(record && { record: toLoggedRecord(record) }),
    ...(previousKey && {
      previousKey: {
        publicKey: previousKey.publicKey,
        ...(previousKey.record && { record: toLoggedRecord(previousKey.record) }),
      },
    }),
  };
}

/** Bytes come back as new arrays. */
export function fromLoggedNode({ record, previousKey, ...node }: LoggedNode): NetworkNode {
  return {
    ...node,
    ...(record && { record: fromLoggedRecord(record) }),
    ...(previousKey && {
      previousKey: {
        publicKey: previousKey.publicKey,
        ...(previousKey.record && { record: fromLoggedRecord(previousKey.record) }),
      },
    }),
  };
}

const toLoggedRecord = ({ record, identityKey, signature }: SignedRecord): LoggedRecord => ({
  record: toBase64(record),
  identityKey: toBase64(identityKey),
  signature: toBase64(signature),
});

const fromLoggedRecord = ({ record, identityKey, signature }: LoggedRecord): SignedRecord => ({
  record: bytes(record),
  identityKey: bytes(identityKey),
  signature: bytes(signature),
});

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

/** The identity is that of the record in use: it outlives the keys that it vouches for. */
function previousKey(row: NetworkNodeColumns, publicKey: string): PreviousKey {
  const { previousRecord, previousSignature, identityKey } = row;
  const record = previousRecord &&
    previousSignature &&
    identityKey && {
      record: plain(previousRecord),
      identityKey: plain(identityKey),
      signature: plain(previousSignature),
    };
  return { publicKey: publicKey as PublicKey, ...(record && { record }) };
}

const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value));

/** Drivers give Buffers, which compare and print differently. */
export const plain = (given: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(given);

function bytes(text: string): Uint8Array {
  const decoded = fromBase64(text);
  invariant(decoded, 'the change log holds broken base64');
  return decoded;
}
