import type { Duplex } from 'node:stream';
import type { IpAddress, SecretKey } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';

export interface SignalServerOptions {
  /** Where UDP is served; port 0: any. `::` serves both families where the host has them. */
  readonly host: string;
  readonly port: number;
  /** Of this server (docs/protocol/signalling.md, “Server key”), X25519. */
  readonly key: SecretKey;
  /** Ed25519 public keys, 32 bytes each, whose tickets and tombstones count. */
  readonly authorities: readonly Uint8Array[];
  /** A second address of this host for RFC 5780; absent: discovery says less. */
  readonly alternate?: { readonly host: IpAddress; readonly port: number };
  /** Bytes a second that one agent may have relayed, after a burst of 16 MiB; absent: 312,500,000 (2.5 Gbit/s). */
  readonly clientBytesPerSecond?: number;
  readonly tombstones?: readonly SignedTombstone[];
  /** Tombstones that agents brought, verified and new. */
  readonly onTombstone?: (tombstone: SignedTombstone) => void;
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

export interface SignalStats {
  readonly sessions: number;
  readonly relayedDatagrams: number;
  readonly relayedBytes: number;
  /** By reason. */
  readonly drops: Readonly<Record<string, number>>;
}

/** A running signal server: its UDP side runs in a worker of its own. */
export interface SignalServer {
  /** The port really bound. */
  readonly port: number;
  /** Serves one TLS connection whose ALPN was `RELAY_ALPN` until it ends; takes it over. */
  serveStream(stream: Duplex, remote: { readonly address: IpAddress; readonly port: number }): void;
  /** Already verified; sessions of their nodes end. */
  addTombstones(tombstones: readonly SignedTombstone[]): void;
  stats(): Promise<SignalStats>;
  /** Settles when it has ended: by `close` (undefined) or by itself (the reason). */
  readonly closed: Promise<Error | undefined>;
  close(): Promise<void>;
}

/** ALPN protocol of the relay over TLS. */
export const RELAY_ALPN = 'warren-relay/1';

/**
 * The name that certificates of relays carry, and that agents verify whatever address they dialled. Not the control plane's: whoever
 * runs a signal server alone must not pass for a control plane.
 */
export const RELAY_SERVICE_NAME = 'relay.warren.internal';
