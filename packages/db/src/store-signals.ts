import type { HostPort } from '@warren/base';
import type { Actor } from './store-api.js';

/** A token for one signal server, without its secret, which nobody can read back. */
export interface SignalTokenRow {
  /** Public part of the token, printable. */
  readonly id: string;
  readonly region: string;
  readonly used: boolean;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** A signal server that agents are told of: that of a replica (`control`), or one that runs alone (`enrolled`). */
export interface SignalServerRow {
  readonly id: string;
  readonly kind: 'control' | 'enrolled';
  /** Where it is, for people. */
  readonly region: string;
  /** Null: no UDP. */
  readonly udp: HostPort | null;
  readonly tls: readonly HostPort[];
  /** X25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** As it said when it was last heard of; null: it did not say. */
  readonly load: SignalLoad | null;
  /** When it was last heard of. */
  readonly seenAt: Date;
  readonly createdAt: Date;
}

/** What a signal server has to do. */
export interface SignalLoad {
  /** Agents that are registered there. */
  readonly clients: number;
  /** Since it started. */
  readonly relayedBytes: number;
  /** Bytes a second. */
  readonly relayedRate: number;
}

/** Where a signal server is and how it proves itself. */
export interface SignalServerInput {
  readonly udp: HostPort | null;
  readonly tls: readonly HostPort[];
  readonly key: Uint8Array;
  readonly load?: SignalLoad;
}

/** The part of the store that knows signal servers and their tokens. */
export interface StoreSignals {
  /** The secret (32 bytes) is returned once and kept hashed. One server can enrol with it. */
  createSignalToken(
    input: { region: string; expiresAt?: Date | null },
    actor: Actor,
  ): Promise<{ token: SignalTokenRow; secret: Uint8Array }>; // bad-request
  /** All of them, oldest first. */
  listSignalTokens(): Promise<readonly SignalTokenRow[]>;
  /** Revoking twice is fine. A server that enrolled with it stays. */
  revokeSignalToken(id: string, actor: Actor): Promise<void>; // not-found
  /** Idempotent by (token, identity key), Ed25519; both keys have 32 bytes. Its addresses come with the first renewal. The caller has verified that the server holds the identity key. */
  enrollSignalServer(
    input: { tokenId: string; tokenSecret: Uint8Array; identityKey: Uint8Array; key: Uint8Array },
    actor: Actor,
  ): Promise<SignalServerRow>; // token-…, bad-request
  /** An enrolled server says that it is there, and where. */
  renewSignalServer(id: string, identityKey: Uint8Array, input: SignalServerInput): Promise<SignalServerRow>; // signal-server-unknown
  /** A replica says that its own signal server is there, now and then. */
  announceSignalServer(id: string, region: string, input: SignalServerInput): Promise<void>;
  /** By id; servers of replicas that have not been seen for `staleMs` milliseconds left out. */
  listSignalServers(staleMs: number): Promise<readonly SignalServerRow[]>;
  /** From then on nobody is told of it, and it cannot renew. */
  deleteSignalServer(id: string, actor: Actor): Promise<void>; // not-found
}
