import type { Endpoint, Prefix, PublicKey, SecretKey, UnixMillis } from '@warren/base';

/**
 * One request to change an interface, as WireGuard's own tools make it: what is absent stays as it is. Applied as a
 * whole or not at all.
 */
export interface DeviceChange {
  /** 32 zeros: no key, and so no sessions. */
  readonly privateKey?: SecretKey;
  /** 0: any free port. */
  readonly listenPort?: number;
  /** Mark of outgoing datagrams (SO_MARK); 0: none. */
  readonly fwmark?: number;
  /** Removes every peer that may be removed before the peers below are set. */
  readonly replacePeers: boolean;
  /** In this order; a peer may appear more than once. */
  readonly peers: readonly PeerChange[];
}

export interface PeerChange {
  readonly publicKey: PublicKey;
  /** Nothing else of this change counts then. */
  readonly remove: boolean;
  /** Leaves a peer that does not exist alone instead of adding it. */
  readonly updateOnly: boolean;
  /** 32 zeros: none. */
  readonly presharedKey?: SecretKey;
  readonly endpoint?: Endpoint;
  /** Seconds; 0: off. */
  readonly persistentKeepalive?: number;
  /** Takes all prefixes from the peer before those below are added and removed. */
  readonly replaceAllowedIps: boolean;
  /** In this order. */
  readonly allowedIps: readonly AllowedIpChange[];
}

export interface AllowedIpChange {
  readonly verb: 'add' | 'remove';
  readonly prefix: Prefix;
}

/** All that an interface is set to, and what happened with its peers. */
export interface DeviceSettings {
  readonly privateKey: SecretKey | undefined;
  readonly listenPort: number;
  readonly fwmark: number;
  readonly peers: readonly PeerSettings[];
}

export interface PeerSettings {
  readonly publicKey: PublicKey;
  readonly presharedKey: SecretKey | undefined;
  /** Where datagrams to the peer go now. */
  readonly endpoint: Endpoint | undefined;
  /** Seconds; 0: off. */
  readonly persistentKeepalive: number;
  readonly allowedIps: readonly Prefix[];
  readonly lastHandshake: UnixMillis | undefined;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Pushed by the control plane, and so not to be changed by others. */
  readonly managed: boolean;
}
