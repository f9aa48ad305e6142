import type { Endpoint, Prefix, PublicKey } from '@warren/base';
import type { AdoptedSockets } from '@warren/udp';
import type {
  DataPlaneKeys,
  DataPlanePeer,
  DataPlanePeerStats,
  PacketPath,
  PathsReport,
  SignallingChange,
  SignallingOptions,
} from './data-plane-api.js';
import type { DeviceChange, DeviceSettings, PeerChange, PeerSettings } from './device-settings-api.js';

/**
 * What passes between the main thread and the worker: configuration and statistics, never packets. Keys travel as
 * plain bytes, since objects of a class lose it in a structured clone; whoever receives them wipes them after use.
 */
export type WorkerRequest =
  | { readonly type: 'start'; readonly options: StartOptions }
  | { readonly type: 'change'; readonly set: readonly WorkerPeer[]; readonly remove: readonly PublicKey[] }
  /** Removes every peer that is not in `set`. */
  | { readonly type: 'replace'; readonly set: readonly WorkerPeer[] }
  | { readonly type: 'set-keys'; readonly keys: WorkerKeys }
  | { readonly type: 'set-endpoint'; readonly peer: PublicKey; readonly endpoint: Endpoint }
  | { readonly type: 'initiate-handshake'; readonly peer: PublicKey }
  | { readonly type: 'set-signalling'; readonly change: SignallingChange }
  | { readonly type: 'paths' }
  | { readonly type: 'inquire'; readonly silentMs?: number }
  | { readonly type: 'stats' }
  | { readonly type: 'settings' }
  | { readonly type: 'configure'; readonly change: WorkerDeviceChange }
  | { readonly type: 'close' };

export interface StartOptions {
  readonly interfaceName: string;
  /** 32 bytes. */
  readonly privateKey: Uint8Array | undefined;
  readonly listenPort: number;
  readonly mtu: number;
  /** Whether `configure` may change the private key. */
  readonly standalone: boolean;
  /** Absent: offload where the kernel has it. */
  readonly packetPath?: PacketPath;
  /** Absent: no paths are looked for. */
  readonly signalling?: WorkerSignalling;
  /** What a worker that died left behind: the interface and its sockets go on. */
  readonly adopt?: Adopted;
}

/** `SignallingOptions` with the key as 32 bytes. */
export interface WorkerSignalling extends Omit<SignallingOptions, 'pathKey' | 'onTombstone'> {
  readonly pathKey: Uint8Array;
}

export interface Adopted {
  readonly tun: number;
  readonly path: PacketPath;
  readonly sockets: AdoptedSockets;
  /** Unix milliseconds that initiations are already labelled with: peers refuse what is not later. */
  readonly wallClock: number;
}

type WithBytes<T, K extends keyof T> = Omit<T, K> & { readonly [key in K]?: Uint8Array | undefined };

/** A `DeviceChange` with its keys as bytes. */
export type WorkerDeviceChange = Omit<WithBytes<DeviceChange, 'privateKey'>, 'peers'> & {
  readonly peers: readonly WorkerPeerChange[];
};
export type WorkerPeerChange = WithBytes<PeerChange, 'presharedKey'>;

/** `DeviceSettings` with its keys as bytes. */
export type WorkerDeviceSettings = Omit<WithBytes<DeviceSettings, 'privateKey'>, 'peers'> & {
  readonly peers: readonly WorkerPeerSettings[];
};
export type WorkerPeerSettings = WithBytes<PeerSettings, 'presharedKey'>;

/** `DataPlaneKeys` with its keys as bytes, 32 each. */
export interface WorkerKeys extends Omit<DataPlaneKeys, 'privateKey' | 'other'> {
  readonly privateKey: Uint8Array;
  readonly other?: Uint8Array;
}

export interface WorkerPeer extends Pick<DataPlanePeer, 'previousKey' | 'formerKey'> {
  readonly publicKey: PublicKey;
  /** 32 bytes. */
  readonly presharedKey?: Uint8Array;
  readonly allowedIps: readonly Prefix[];
  /** Absent: keep what is known. */
  readonly endpoint?: Endpoint;
  readonly persistentKeepalive?: number;
  readonly agent?: NonNullable<DataPlanePeer['agent']>;
}

export interface Started {
  readonly listenPort: number;
  readonly crypto: string;
  readonly path: PacketPath;
  /** Families that have a socket. */
  readonly families: readonly (4 | 6)[];
  readonly descriptors: Descriptors;
}

/** What the main thread closes, or gives to the next worker, should this one die without closing it. */
export interface Descriptors {
  readonly tun: number;
  readonly sockets: AdoptedSockets;
  /** Closed in any case. */
  readonly others: readonly number[];
}

export interface WorkerStats {
  readonly crypto: string;
  readonly path: PacketPath;
  readonly peers: readonly DataPlanePeerStats[];
  readonly drops: Readonly<Record<string, number>>;
}

/** The answer to each kind of request. */
export interface WorkerResults {
  readonly start: Started;
  readonly change: undefined;
  readonly replace: undefined;
  readonly 'set-keys': undefined;
  readonly 'set-endpoint': undefined;
  readonly 'initiate-handshake': undefined;
  readonly 'set-signalling': undefined;
  readonly paths: PathsReport;
  readonly inquire: number;
  readonly stats: WorkerStats;
  readonly settings: WorkerDeviceSettings;
  readonly configure: Pick<Started, 'listenPort' | 'descriptors'>;
  readonly close: undefined;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type FromWorker =
  | { readonly type: 'result'; readonly id: number; readonly result: WorkerResults[WorkerRequest['type']] }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
  /** Links, addresses or routes of this host changed. */
  | { readonly type: 'network-changed' }
  /** Initiations of this peer remain unanswered: its endpoint may be out of date. */
  | { readonly type: 'handshake-failing'; readonly peer: PublicKey }
  /**
   * An authenticated datagram came from there, for the first time in this session: handshakes and roaming, not packets. An agent has
   * no endpoint: where it is, its paths say.
   */
  | { readonly type: 'peer-heard'; readonly peer: PublicKey; readonly endpoint: Endpoint | undefined }
  /** Some agents are reached another way than before. */
  | { readonly type: 'paths-changed' }
  | { readonly type: 'tombstone'; readonly tombstone: Uint8Array; readonly signature: Uint8Array }
  /** There are others now: all of them. */
  | { readonly type: 'descriptors'; readonly descriptors: Descriptors }
  /** The interface was taken down and is up again. */
  | { readonly type: 'link-returned' }
  /** The data plane has ended by itself; the descriptors are closed. */
  | { readonly type: 'ended'; readonly error: Failure };

export interface ToWorker {
  readonly id: number;
  readonly request: WorkerRequest;
}
