import type { Explanation, NatStatus, PathStatus, ServerStatus, Status } from './status-types.js';

/** One request a connection, one line of JSON each way. */
export type DaemonRequest =
  | { readonly method: 'status'; readonly network?: string }
  /** Settles when the network is connected, or after the time. */
  | { readonly method: 'wait-connected'; readonly network: string; readonly milliseconds: number }
  /** Takes up a network that was joined meanwhile. */
  | { readonly method: 'add-network'; readonly network: string }
  | { readonly method: 'note-ping'; readonly network: string; readonly peer: string; readonly rttMs: number | null }
  /** The path to one node; `peer` is its id. */
  | { readonly method: 'path'; readonly network: string; readonly peer: string }
  | { readonly method: 'explain'; readonly network: string; readonly peer: string }
  /** Signal servers as the data plane sees them. */
  | { readonly method: 'servers'; readonly network: string }
  /** Changes the WireGuard key; settles when that has happened. */
  | { readonly method: 'rotate-key'; readonly network?: string; readonly compromised: boolean }
  | { readonly method: 'leave'; readonly network: string }
  /** Without a network: the whole daemon. */
  | { readonly method: 'down'; readonly network?: string };

/** What each method answers. */
export interface DaemonReplies {
  readonly status: Status;
  readonly 'wait-connected': { readonly connected: boolean };
  readonly 'add-network': Record<never, never>;
  readonly 'note-ping': Record<never, never>;
  readonly path: { readonly path: PathStatus | null };
  readonly explain: Explanation;
  readonly servers: {
    readonly servers: readonly ServerStatus[];
    readonly portMapping: NatStatus['portMapping'];
    /** Seconds, at least; null: no NAT, or not known. */
    readonly bindingLifetimeS: number | null;
  };
  readonly 'rotate-key': {
    readonly network: string;
    /** Public keys, base64. */
    readonly before: string;
    readonly after: string;
    readonly generation: number;
  };
  readonly leave: Record<never, never>;
  readonly down: { readonly pid: number };
}

export type DaemonReply<M extends DaemonRequest['method']> =
  | { readonly ok: DaemonReplies[M] }
  | { readonly error: { readonly code: string; readonly message: string } };

/** Longest request in characters; the socket is ours alone, this only bounds a mistake. */
export const MAX_REQUEST = 65_536;
