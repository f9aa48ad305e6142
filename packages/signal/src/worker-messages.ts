import type { Endpoint, IpAddress } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import type { SignalStats } from './signal-api.js';

/** What the main thread says to the worker, in order. */
export type ToWorker =
  | { readonly type: 'start'; readonly options: WorkerOptions }
  | { readonly type: 'stream-opened'; readonly stream: number; readonly remote: Endpoint }
  | { readonly type: 'stream-closed'; readonly stream: number }
  /** `StreamRecords` of what streams brought. */
  | { readonly type: 'frames'; readonly records: Uint8Array }
  /** So many bytes of the other's `frames` are dealt with. */
  | { readonly type: 'frames-taken'; readonly bytes: number }
  | { readonly type: 'tombstones'; readonly tombstones: readonly SignedTombstone[] }
  | { readonly type: 'stats' }
  | { readonly type: 'close' };

export interface WorkerOptions {
  readonly host: IpAddress;
  readonly port: number;
  /** The private key's bytes; whoever receives them wipes them. */
  readonly key: Uint8Array;
  readonly authorities: readonly Uint8Array[];
  readonly clientBytesPerSecond: number | undefined;
  readonly alternate: { readonly host: IpAddress; readonly port: number } | undefined;
  readonly tombstones: readonly SignedTombstone[];
}

export type FromWorker =
  /** `descriptors`: what to close should the worker die. */
  | { readonly type: 'started'; readonly port: number; readonly descriptors: readonly number[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'frames'; readonly records: Uint8Array }
  | { readonly type: 'frames-taken'; readonly bytes: number }
  | { readonly type: 'close-stream'; readonly stream: number }
  | { readonly type: 'tombstone'; readonly tombstone: SignedTombstone }
  | { readonly type: 'stats'; readonly stats: SignalStats }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string }
  | { readonly type: 'closed' };
