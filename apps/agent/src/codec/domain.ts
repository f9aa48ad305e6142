import type { IpAddress, NodeId, PublicKey } from '@warren/base';
import type { DataPlanePeer, SignalServerConfig } from '@warren/dataplane';
import type { Role } from '@warren/topology';

/** An entry of the peer set that passed every check. */
export interface AcceptedPeer {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly publicKey: PublicKey;
  readonly addresses: readonly IpAddress[];
  /** Name of the bounce through which the node is reached; then it is no WireGuard peer of ours. */
  readonly via: string | undefined;
  /** X25519, 32 bytes, from the signed record; absent for vanilla members. */
  readonly pathKey: Uint8Array | undefined;
  /** What the data plane is told; absent with `via`. */
  readonly dataPlane: DataPlanePeer | undefined;
}

/** What the control plane says about this node itself. */
export interface SelfDescription {
  readonly name: string;
  readonly role: Role;
  readonly addresses: readonly IpAddress[];
  readonly networkName: string;
  readonly cidrs: readonly string[];
  readonly mtu: number;
  /** A bounce forwards between these prefixes. */
  readonly forward: readonly string[];
  /** Milliseconds; 0: without limit. */
  readonly offlineToleranceMs: number;
  readonly signalServers: readonly SignalServerConfig[];
  /** Our own WireGuard key before this one, which some still use. */
  readonly previousKey: PublicKey | undefined;
  /** Waits for approval, or was disabled. */
  readonly pending: boolean;
  /** When our key expires, Unix milliseconds; undefined: never. */
  readonly keyExpiresAt: number | undefined;
  /** How long before that its operator is to be warned, milliseconds. */
  readonly keyWarningMs: number;
  /** A record of at least this generation is wanted. */
  readonly rotateGeneration: number;
  /** The age at which the WireGuard key is changed, milliseconds; 0: never by itself. */
  readonly keyRotationMs: number;
}
