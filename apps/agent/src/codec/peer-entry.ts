import {
  equalBytes,
  type HostPort,
  type NetworkId,
  nodeId,
  type Prefix,
  type PublicKey,
  parseHostPort,
  parseIpAddress,
  parsePrefix,
  publicKeyBytes,
  publicKeyFromBytes,
  SecretKey,
} from '@warren/base';
import type { DataPlanePeer } from '@warren/dataplane';
import { type NodeRecord, relayIdOf, verifyRecord } from '@warren/identity';
import { PeerEntry } from '@warren/proto';
import type { AcceptedPeer } from './domain.js';
import { roleFromWire } from './role.js';

/** A peer entry as read from its bytes: accepted, or why it is not used. */
export type ReadEntry =
  | { readonly id: string; readonly accepted: AcceptedPeer }
  | { readonly id: string; readonly refused: string };

const NAME = /^[\x20-\x7e]{1,255}$/;

/**
 * Decodes an entry and checks it by itself: shapes, and the record of an agent's keys, which the agent signed and the
 * control plane only passes on. @returns undefined when the bytes are no entry at all.
 */
export function readPeerEntry(bytes: Uint8Array, network: NetworkId): ReadEntry | undefined {
  const entry = decodeEntry(bytes);
  if (!entry?.nodeId) return undefined;
  const id = entry.nodeId;
  const refused = whyMalformed(entry);
  if (refused) return { id, refused };
  const record = entry.vanilla ? undefined : verifiedRecord(entry, network);
  if (typeof record === 'string') return { id, refused: record };
  const previous = entry.previousWireguardKey.length === 0 ? undefined : previousKey(entry, record, network);
  if (previous && 'refused' in previous) return { id, refused: previous.refused };
  const peer = acceptedPeer(entry, record, previous?.publicKey);
  return typeof peer === 'string' ? { id, refused: peer } : { id, accepted: peer };
}

function decodeEntry(bytes: Uint8Array): PeerEntry | undefined {
  try {
    return PeerEntry.decode(bytes);
  } catch {
    return undefined; // the generated decoder throws on bytes that are no protobuf; here they are data
  }
}

function whyMalformed(entry: PeerEntry): string | undefined {
  if (entry.wireguardKey.length !== 32) return 'its WireGuard key has a wrong length';
  if (entry.presharedKey.length !== 0 && entry.presharedKey.length !== 32)
    return 'its preshared key has a wrong length';
  if (!NAME.test(entry.name)) return 'its name is none';
  return entry.vanilla && entry.record ? 'a vanilla member has no record' : undefined;
}

/** @returns the record that the agent signed, or why there is none that fits the entry. */
function verifiedRecord(entry: PeerEntry, network: NetworkId): NodeRecord | string {
  return verifiedKey(entry, entry.record, entry.wireguardKey, network);
}

function verifiedKey(
  { nodeId: id }: PeerEntry,
  signed: PeerEntry['record'],
  wireguardKey: Uint8Array,
  network: NetworkId,
): NodeRecord | string {
  if (!signed) return 'the record of its keys is missing';
  const record = verifyRecord(signed);
  if (!record) return 'the signature over its keys is wrong';
  if (record.networkId !== network) return 'its keys were signed for another network';
  if (record.nodeId !== id) return 'its keys were signed for another node';
  const key = publicKeyFromBytes(wireguardKey);
  return record.wireguardKey === key ? record : 'its WireGuard key is not the one that it signed';
}

/** The key before, which the same identity must have signed, earlier; for a vanilla member there is only the control plane's word. */
function previousKey(
  entry: PeerEntry,
  record: NodeRecord | undefined,
  network: NetworkId,
): { readonly publicKey: PublicKey } | { readonly refused: string } {
  const { previousWireguardKey: bytes, previousRecord: signed } = entry;
  if (bytes.length !== 32) return { refused: 'its previous WireGuard key has a wrong length' };
  if (!record) return signed ? { refused: 'a vanilla member has no record' } : { publicKey: publicKeyFromBytes(bytes) };
  const before = verifiedKey(entry, signed, bytes, network);
  if (typeof before === 'string') return { refused: `of its previous key: ${before}` };
  const sameIdentity = entry.record && signed && equalBytes(entry.record.identityKey, signed.identityKey);
  if (!sameIdentity) return { refused: 'its previous key was signed by another identity' };
  if (before.generation >= record.generation) return { refused: 'its previous key is not older than its key' };
  return { publicKey: before.wireguardKey };
}

function acceptedPeer(
  entry: PeerEntry,
  record: NodeRecord | undefined,
  previous: PublicKey | undefined,
): AcceptedPeer | string {
  const role = roleFromWire(entry.role);
  if (!role) return 'its role is unknown to this version';
  const publicKey = publicKeyFromBytes(entry.wireguardKey);
  const addresses = entry.addresses.map(parseIpAddress).filter((address) => address !== undefined);
  if (addresses.length !== entry.addresses.length) return 'one of its addresses is none';
  const pathKey = record && publicKeyBytes(record.pathKey);
  const common = { id: nodeId(entry.nodeId), name: entry.name, role, publicKey, addresses, pathKey };
  if (entry.via) return { ...common, via: entry.via, dataPlane: undefined };
  const dataPlane = dataPlanePeer(entry, publicKey, previous, record);
  return typeof dataPlane === 'string' ? dataPlane : { ...common, via: undefined, dataPlane };
}

function dataPlanePeer(
  entry: PeerEntry,
  publicKey: PublicKey,
  previousKey: PublicKey | undefined,
  record: NodeRecord | undefined,
): DataPlanePeer | string {
  const allowedIps: Prefix[] = [];
  for (const text of entry.allowedIps) {
    const prefix = parsePrefix(text);
    if (!prefix) return 'one of its AllowedIPs is none';
    allowedIps.push(prefix);
  }
  if (entry.endpoint && !parseHostPort(entry.endpoint)) return 'its endpoint is none';
  if (entry.persistentKeepalive > 65_535) return 'its keepalive is out of range';
  return {
    publicKey,
    ...(previousKey !== undefined && { previousKey }),
    allowedIps,
    ...(entry.endpoint && { endpoint: entry.endpoint as HostPort }),
    ...(entry.persistentKeepalive && { persistentKeepalive: entry.persistentKeepalive }),
    ...(entry.presharedKey.length === 32 && { presharedKey: new SecretKey(entry.presharedKey) }),
    ...(record && { agent: signallingName(entry.name, record) }),
  };
}

/** By what the data plane finds a path to an agent (signalling.md, “Names”). */
const signallingName = (name: string, record: NodeRecord): NonNullable<DataPlanePeer['agent']> => ({
  name,
  relayId: relayIdOf(record.networkId, record.nodeId),
  pathKey: publicKeyBytes(record.pathKey),
});
