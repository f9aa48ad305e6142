import { KEY_LENGTH, type PublicKey, publicKeyBytes } from '@warren/base';
import type { TombstoneRow } from '@warren/db';
import {
  PeerEntry,
  type SelfConfig,
  type SignalServer,
  type SignedRecord as WireRecord,
  Role as WireRole,
  type SignedTombstone as WireTombstone,
} from '@warren/proto';
import {
  keyWarningMs,
  type Network,
  type NetworkNode,
  type NodeStatus,
  type Peer,
  type Role,
  type SignedRecord,
} from '@warren/topology';

/** How long agents trust their last known state without us, unless the network says otherwise: 7 days (join-and-sync.md, “Tombstone”). */
export const OFFLINE_TOLERANCE_MS = 7 * 86_400_000;
const SIGNATURE_LENGTH = 64;
const LONGEST_RECORD = 1024;

const TO_WIRE = { client: WireRole.ROLE_CLIENT, direct: WireRole.ROLE_DIRECT, bounce: WireRole.ROLE_BOUNCE } as const;

export const roleToWire = (role: Role | null): WireRole => (role ? TO_WIRE[role] : WireRole.ROLE_UNSPECIFIED);

/** @returns null for unspecified, undefined for a number that is no role. */
export function roleFromWire(role: WireRole): Role | null | undefined {
  if (role === WireRole.ROLE_UNSPECIFIED) return null;
  return (['client', 'direct', 'bounce'] as const).find((name) => TO_WIRE[name] === role);
}

/** @returns undefined unless key and signature have their lengths. Whether the signature is right is not looked at. */
export function recordFromWire(wire: WireRecord | undefined): SignedRecord | undefined {
  if (wire?.identityKey.length !== KEY_LENGTH || wire.signature.length !== SIGNATURE_LENGTH) return undefined;
  if (wire.record.length === 0 || wire.record.length > LONGEST_RECORD) return undefined;
  return {
    record: Uint8Array.from(wire.record),
    identityKey: Uint8Array.from(wire.identityKey),
    signature: Uint8Array.from(wire.signature),
  };
}

export const tombstoneToWire = (row: TombstoneRow): WireTombstone => ({
  tombstone: Buffer.from(row.tombstone),
  signature: Buffer.from(row.signature),
});

/** One `PeerEntry` as it goes over the wire and into digests. `viaName` is the name of the bounce that `peer.via` is. */
export function encodePeer(peer: Peer, viaName: string): Uint8Array {
  return PeerEntry.encode({
    nodeId: peer.id,
    name: peer.name,
    role: roleToWire(peer.role),
    vanilla: peer.kind === 'vanilla',
    wireguardKey: Buffer.from(publicKeyBytes(peer.publicKey)),
    addresses: [...peer.addresses],
    allowedIps: [...peer.allowedIps],
    endpoint: peer.endpoint ?? '',
    persistentKeepalive: peer.persistentKeepalive,
    presharedKey: Buffer.from(peer.presharedKey?.expose() ?? []),
    record: peer.record ? recordToWire(peer.record) : undefined,
    via: viaName,
    previousWireguardKey: keyToWire(peer.previousKey?.publicKey),
    previousRecord: peer.previousKey?.record ? recordToWire(peer.previousKey.record) : undefined,
  }).finish();
}

/** The parts of a node that it is told of itself; a pending one has no key that counts yet. */
export type SelfSubject = Omit<NetworkNode, 'publicKey'> & { readonly status?: NodeStatus };

/** What a node is told of itself. */
export function selfConfig(
  node: SelfSubject,
  network: Pick<Network, 'id' | 'name' | 'cidrs' | 'mtu'> & {
    readonly offlineToleranceMs?: number;
    readonly keyExpiryMs?: number | null;
    readonly keyRotationMs?: number | null;
  },
  signalServers: readonly SignalServer[],
): SelfConfig {
  return {
    nodeId: node.id,
    name: node.name,
    role: roleToWire(node.role),
    addresses: [...node.addresses],
    networkId: network.id,
    networkName: network.name,
    cidrs: [...network.cidrs],
    mtu: network.mtu,
    forward: node.role === 'bounce' ? [...network.cidrs] : [],
    offlineToleranceMs: network.offlineToleranceMs ?? OFFLINE_TOLERANCE_MS,
    endpoint: node.endpoint ?? '',
    signalServers: [...signalServers],
    pending: node.status === 'pending',
    keyExpiresAtMs: node.keyExpiresAt ?? 0,
    keyWarningMs: node.keyExpiresAt === undefined ? 0 : Math.round(keyWarningMs(network.keyExpiryMs)),
    keyRotationMs: network.keyRotationMs ?? 0,
    rotateGeneration: node.rotateGeneration ?? 0,
    previousWireguardKey: keyToWire(node.previousKey?.publicKey),
  };
}

const keyToWire = (key: PublicKey | undefined): Buffer => Buffer.from(key ? publicKeyBytes(key) : []);

const recordToWire = (record: SignedRecord): WireRecord => ({
  record: Buffer.from(record.record),
  identityKey: Buffer.from(record.identityKey),
  signature: Buffer.from(record.signature),
});
