import type { HostPort, IpAddress, NetworkId, NodeId, Prefix, PublicKey, SecretKey } from '@warren/base';
import type { ConfSettings } from './conf-settings.js';

export type Role = 'bounce' | 'direct' | 'client';
export const ROLES = ['bounce', 'direct', 'client'] as const satisfies readonly Role[];

/** Agents run our data plane and follow the control plane; vanilla members run any WireGuard and follow a file. */
export type NodeKind = 'agent' | 'vanilla';
export type NodeStatus = 'pending' | 'active' | 'revoked' | 'expired';

/** What the compiler needs to know of a node. Observed state (presence, paths) is not part of it; decisions are. */
export interface NetworkNode {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly kind: NodeKind;
  readonly publicKey: PublicKey;
  /** One IPv4 and, where the network has an IPv6 prefix, one IPv6 address. */
  readonly addresses: readonly IpAddress[];
  /** How others reach it: bounce and direct only. */
  readonly endpoint?: HostPort;
  /** A bounce that the control plane decided to hold for dead: nobody is homed there while another one lives (ADR 0020). */
  readonly unavailable?: true;
  /** UDP port of the signal server that a bounce's agent runs, at the host of its endpoint; compiled into nobody's peers. */
  readonly signalPort?: number;
  /** The WireGuard key before this one, which everybody still accepts; with its record for agents. */
  readonly previousKey?: PreviousKey;
  /** Unix milliseconds; told to the node itself only. Absent: never. */
  readonly keyExpiresAt?: number;
  /** The operator wants a key of at least this generation; told to the node itself only. */
  readonly rotateGeneration?: number;
  /** Of its files; vanilla members only. `persistentKeepalive` also counts for agents. */
  readonly settings?: ConfSettings;
  /** The signed record of an agent's keys, verbatim; absent for vanilla members. */
  readonly record?: SignedRecord;
}

/** A WireGuard key that was replaced, while both are accepted. */
export interface PreviousKey {
  readonly publicKey: PublicKey;
  /** Absent for vanilla members. */
  readonly record?: SignedRecord;
}

/** packages/identity says what is in it; here it is opaque and passed on. */
export interface SignedRecord {
  readonly record: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Inner MTU of a network that was given none: room for the relay's overhead on every path (ADR 0012). */
export const DEFAULT_MTU = 1400;
/** Seconds between keepalives of a client towards whoever has an endpoint (docs/ARCHITECTURE.md, “Topology”). */
export const CLIENT_KEEPALIVE = 25;

/** A network as the compiler sees it: its active nodes only. */
export interface Network {
  readonly id: NetworkId;
  readonly name: string;
  readonly cidrs: readonly Prefix[];
  readonly mtu: number;
  /** How long agents trust their last known state, milliseconds; 0: without limit. Absent: 7 days. */
  readonly offlineToleranceMs?: number;
  /** The life of the WireGuard keys of agents, milliseconds. Absent: for ever. */
  readonly keyExpiryMs?: number;
  /** The age at which agents change their WireGuard key by themselves, milliseconds. Absent: never. */
  readonly keyRotationMs?: number;
  /** Defaults of the files of vanilla members. */
  readonly settings?: ConfSettings;
  /** Preshared keys by `pairId`. */
  readonly presharedKeys?: ReadonlyMap<string, SecretKey>;
  readonly nodes: ReadonlyMap<NodeId, NetworkNode>;
}

/** Names a pair of nodes, in either order. */
export const pairId = (a: NodeId, b: NodeId): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Network-wide facts that pairs depend on (`decide`). */
export interface Facts {
  readonly cidrs: readonly Prefix[];
  /** The bounce at which a vanilla client or direct node is homed; absent while the network has no bounce. */
  readonly homes: ReadonlyMap<NodeId, NodeId>;
  /**
   * Vanilla clients homed at each bounce, by node id, in order of id: their addresses belong to its AllowedIPs. Without
   * vanilla direct nodes, which have a home for their catch-all only: everybody reaches them straight.
   */
  readonly homed: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** What agents and other bounces route to each bounce: its own host prefixes and those of `homed`. Sorted. */
  readonly routes: ReadonlyMap<NodeId, readonly Prefix[]>;
  /** Direct nodes that others can dial, in order of id: besides its home, all that a vanilla client is a peer of. */
  readonly direct: readonly NodeId[];
  /** Seconds between keepalives towards whoever has an endpoint, where the network sets it for all; 0: off. */
  readonly persistentKeepalive?: number;
  /** Those of the network, by `pairId`. */
  readonly presharedKeys?: ReadonlyMap<string, SecretKey>;
}

/** A network with its facts, so that a caller who has them need not have them decided again. */
export interface DecidedNetwork {
  readonly network: Network;
  readonly facts: Facts;
}

/** How one node sees another. */
export interface Peer {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly kind: NodeKind;
  readonly publicKey: PublicKey;
  readonly addresses: readonly IpAddress[];
  /** Sorted; empty when the peer is reached through `via`. */
  readonly allowedIps: readonly Prefix[];
  readonly endpoint?: HostPort;
  /** Seconds; 0: off. */
  readonly persistentKeepalive: number;
  /** The bounce through which the node is reached when the two are no WireGuard peers: one is a vanilla member homed there. */
  readonly via?: NodeId;
  readonly record?: SignedRecord;
  readonly previousKey?: PreviousKey;
  readonly presharedKey?: SecretKey;
}

/** A node's peers by id. */
export type PeerMap = ReadonlyMap<NodeId, Peer>;

export interface PeerMapDelta {
  readonly upsert: readonly Peer[];
  readonly remove: readonly NodeId[];
}
