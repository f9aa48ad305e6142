import type { Endpoint, Prefix, PublicKey } from '@warren/base';
import type { DataPlanePeerStats, PacketPath } from './data-plane-api.js';

/**
 * What passes between the main thread and the worker: configuration and statistics, never packets. Keys travel as
 * plain bytes, since objects of a class lose it in a structured clone; whoever receives them wipes them after use.
 */
export type WorkerRequest =
  | { readonly type: 'start'; readonly options: StartOptions }
  | { readonly type: 'change'; readonly set: readonly WorkerPeer[]; readonly remove: readonly PublicKey[] }
  /** Removes every peer that is not in `set`. */
  | { readonly type: 'replace'; readonly set: readonly WorkerPeer[] }
  | { readonly type: 'set-endpoint'; readonly peer: PublicKey; readonly endpoint: Endpoint }
  | { readonly type: 'initiate-handshake'; readonly peer: PublicKey }
  | { readonly type: 'stats' }
  | { readonly type: 'close' };

export interface StartOptions {
  readonly interfaceName: string;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  readonly listenPort: number;
  readonly mtu: number;
  /** Absent: offload where the kernel has it. */
  readonly packetPath?: PacketPath;
}

export interface WorkerPeer {
  readonly publicKey: PublicKey;
  /** 32 bytes. */
  readonly presharedKey?: Uint8Array;
  readonly allowedIps: readonly Prefix[];
  /** Absent: keep what is known. */
  readonly endpoint?: Endpoint;
  readonly persistentKeepalive?: number;
}

/** Descriptors that the main thread closes should the worker die without doing so. */
export interface Started {
  readonly listenPort: number;
  readonly crypto: string;
  readonly path: PacketPath;
  /** Families that have a socket. */
  readonly families: readonly (4 | 6)[];
  readonly descriptors: readonly number[];
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
  readonly 'set-endpoint': undefined;
  readonly 'initiate-handshake': undefined;
  readonly stats: WorkerStats;
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
  /** Initiations of this peer remain unanswered: its endpoint may be out of date. */
  | { readonly type: 'handshake-failing'; readonly peer: PublicKey }
  /** The data plane has ended by itself; the descriptors are closed. */
  | { readonly type: 'ended'; readonly error: Failure };

export interface ToWorker {
  readonly id: number;
  readonly request: WorkerRequest;
}
