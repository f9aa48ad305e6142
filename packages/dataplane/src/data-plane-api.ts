import type { Endpoint, HostPort, Prefix, PublicKey, SecretKey } from '@warren/base';
import type { LocalNat, PathReport, ServerId, ServerReport } from '@warren/paths';
import type { DeviceChange, DeviceSettings } from './device-settings-api.js';

export interface DataPlaneOptions {
  /** At most 15 bytes, as Linux has it. */
  readonly interfaceName: string;
  /** Absent: none yet; nobody can have a session until `configure` sets one, which `standalone` permits. */
  readonly privateKey?: SecretKey;
  /** UDP port for IPv4 and IPv6; 0: any. */
  readonly listenPort: number;
  readonly mtu: number;
  /** Addresses of the interface with their own prefix length, e.g. `10.44.0.3/32`. */
  readonly addresses: readonly string[];
  readonly peers?: readonly DataPlanePeer[];
  /**
   * Behaves as `wireguard-go` does: sets the MTU and leaves addresses, routes and link state to others, and `configure`
   * may change everything. Otherwise `configure` leaves the private key and the peers of this handle alone.
   */
  readonly standalone?: boolean;
  /** Absent: what the environment's `WARREN_DATAPLANE` says, else offload where the kernel has it. */
  readonly packetPath?: PacketPath;
  /** For agents: finds paths to those peers that are agents too. Absent: every peer is reached at its endpoint, as in WireGuard. */
  readonly signalling?: SignallingOptions;
  /** Links, addresses or routes of this host changed, those of this interface left out; told with `signalling` only. */
  readonly onNetworkChange?: () => void;
  /** Peers may be reached another way than before, or have been heard: not called for packets, but maybe in swarms. */
  readonly onPathChange?: () => void;
  /** One line each: what the worker has to say. */
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/**
 * How packets move: `offload` by super-packets of up to 64 KiB (TUN segmentation offload, UDP_SEGMENT, UDP_GRO), `plain` one a
 * system call, on every kernel.
 */
export type PacketPath = 'plain' | 'offload';

/** What an agent needs to use signal servers (docs/protocol/signalling.md). Keys are copied. */
export interface SignallingOptions {
  /** 8 bytes. */
  readonly relayId: Uint8Array;
  readonly pathKey: SecretKey;
  readonly predictPorts: boolean;
  /** Verifies TLS relays: the root in PEM, and the name that their certificates carry. */
  readonly tls?: { readonly root: string; readonly serverName: string };
  /** A tombstone that a signal server passed on; not verified yet. */
  readonly onTombstone?: (tombstone: Uint8Array, signature: Uint8Array) => void;
}

/** A signal server as the control plane lists it; names are resolved by the data plane. */
export interface SignalServerConfig {
  readonly id: ServerId;
  readonly name: string;
  /** Absent: no UDP. */
  readonly udp?: HostPort;
  readonly tls: readonly HostPort[];
  /** X25519, 32 bytes. */
  readonly key: Uint8Array;
}

/** What is present replaces what was set before. */
export interface SignallingChange {
  readonly servers?: readonly SignalServerConfig[];
  readonly ticket?: Uint8Array;
  readonly nat?: LocalNat;
  /** Outer endpoints that a router maps to our port. */
  readonly mapped?: readonly Endpoint[];
  readonly tombstones?: readonly { readonly tombstone: Uint8Array; readonly signature: Uint8Array }[];
  /** Ask all signal servers at once whether they live; done once. */
  readonly askServers?: boolean;
}

/** `PathReport` with times that mean something outside the worker. */
export interface DataPlanePathReport extends Omit<PathReport, 'since'> {
  readonly publicKey: PublicKey;
  /** RFC 3339 UTC. */
  readonly since: string | undefined;
}

export interface PathsReport {
  /** Agents only. */
  readonly peers: readonly DataPlanePathReport[];
  readonly servers: readonly ServerReport[];
}

/** The private keys of an interface; copied. */
export interface DataPlaneKeys {
  /** The one that it is known by. */
  readonly privateKey: SecretKey;
  /** Handshakes that peers begin with this one are answered, too: the next key, or the one before. */
  readonly other?: SecretKey;
  /** Handshakes are begun with `other`, until a peer shows that it knows the first (`LocalKeys` of the machine). */
  readonly initiateWithOther?: boolean;
  /** The sessions end: somebody else may hold the key that they were made with. */
  readonly endSessions?: boolean;
}

export interface DataPlanePeer {
  readonly publicKey: PublicKey;
  /** The key that it had before, accepted too. */
  readonly previousKey?: PublicKey;
  /**
   * The key by which the interface knows it, if that is another: the same peer then, with path and endpoint; with its sessions, if
   * it is `previousKey`.
   */
  readonly formerKey?: PublicKey;
  readonly presharedKey?: SecretKey;
  readonly allowedIps: readonly Prefix[];
  /** Resolved by the data plane when it is a name, again at each failed handshake. */
  readonly endpoint?: HostPort;
  /** Seconds; absent or 0: off. */
  readonly persistentKeepalive?: number;
  /** An agent, to which paths are looked for; `relayId` has 8 bytes, `pathKey` 32. Absent: a vanilla member. */
  readonly agent?: { readonly name: string; readonly relayId: Uint8Array; readonly pathKey: Uint8Array };
}

export interface DataPlanePeerStats {
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint | undefined;
  /** RFC 3339 UTC. */
  readonly lastHandshake: string | undefined;
  /** What a handshake took there and back, milliseconds; absent: not measured. */
  readonly handshakeRttMs?: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export interface DataPlaneStats {
  readonly backend: 'userspace';
  /** Name of the CryptoProvider in use. */
  readonly crypto: string;
  readonly path: PacketPath;
  readonly peers: readonly DataPlanePeerStats[];
  readonly drops: Readonly<Record<string, number>>;
}

/** Peers to set and peers to remove; applied in one step, removals first. */
export interface DataPlaneChange {
  readonly set: readonly DataPlanePeer[];
  readonly remove: readonly PublicKey[];
}

/**
 * A running interface: its worker thread owns TUN and UDP sockets; this handle lives in the main thread and passes
 * configuration and statistics only, never packets.
 */
export interface DataPlane {
  readonly interfaceName: string;
  /** The port really bound; changes with `configure`. */
  readonly listenPort: number;
  readonly mtu: number;
  /** Sets exactly these peers: others are removed, unchanged ones keep their session. Routes follow AllowedIPs. */
  replacePeers(peers: readonly DataPlanePeer[]): Promise<void>;
  change(change: DataPlaneChange): Promise<void>;
  /** Sessions live on unless it is said that they end; keys that are gone are erased. */
  setKeys(keys: DataPlaneKeys): Promise<void>;
  /** Sets exactly these interface addresses. New connections of this host use the first one of a family. */
  setAddresses(addresses: readonly string[]): Promise<void>;
  /**
   * AllowedIPs that get no route, because they lead elsewhere on this host; replaces those set before. Routes that could not be
   * put up, because something else had them, are tried once more.
   */
  setUnrouted(prefixes: readonly Prefix[]): Promise<void>;
  /** Starts a handshake with the peer, unless one is fresh. */
  initiateHandshake(peer: PublicKey): Promise<void>;
  stats(): Promise<DataPlaneStats>;
  /** Nothing happens without `DataPlaneOptions.signalling`. */
  setSignalling(change: SignallingChange): Promise<void>;
  /** Empty without `DataPlaneOptions.signalling`. */
  paths(): Promise<PathsReport>;
  /** Asks silent agents whether they are there (`PathManager.inquire`). @returns how many were asked. */
  inquire(silentMs?: number): Promise<number>;
  /** All that the interface is set to, with copies of its keys that the caller erases. */
  settings(): Promise<DeviceSettings>;
  /**
   * Changes settings and peers on behalf of the host's operator, as a whole or not at all. Peers added here are not
   * managed: pushes by `replacePeers` and `change` leave them alone, but take AllowedIPs from them (docs/adr/0016).
   * @throws WarrenError `not-permitted`, `port-in-use`, `port-not-allowed`, `no-address-family`.
   */
  configure(change: DeviceChange): Promise<void>;
  /** Settles when the data plane has ended: by `close` (undefined) or by itself (the reason). */
  readonly closed: Promise<Error | undefined>;
  /** Takes down interface, addresses and routes, overwrites keys. Idempotent. */
  close(): Promise<void>;
}
