import type { Endpoint, Instant, SecretKey } from '@warren/base';
import type { LocalNat, ServerId } from '../path-manager-api.js';

export interface RelayClientOptions {
  readonly server: ServerId;
  /** The server's X25519 key, 32 bytes. */
  readonly serverKey: Uint8Array;
  readonly transport: 'udp' | 'tls';
  readonly pathKey: SecretKey;
  readonly random: (length: number) => Uint8Array;
  /** Before this host: over UDP we say that we are alive more often than asked to, where it forgets fast. Absent: not known. */
  readonly nat?: () => LocalNat;
}

/** Reasons of a `refused` frame. */
export type RefusalReason = 'ticket-bad' | 'ticket-expired' | 'revoked' | 'full' | 'relay-id-taken';

export type RelayClientEvent =
  /** A session stands; `reflexive` is where the server sees us, over TLS the connection's end. Also when it changed. */
  | { readonly type: 'registered'; readonly session: Uint8Array; readonly reflexive: Endpoint }
  /** The server does not answer any more, or never did: it goes on asking, at growing intervals. */
  | { readonly type: 'lost' }
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'not-here'; readonly destination: Uint8Array }
  | { readonly type: 'tombstone'; readonly tombstone: Uint8Array; readonly signature: Uint8Array };

/** The registration of this agent at one signal server, over one transport, as a machine (docs/protocol/signalling.md). */
export interface RelayClient {
  readonly registered: boolean;
  /** Smoothed, milliseconds; undefined before the first answer. */
  readonly rttMs: number | undefined;
  readonly session: Uint8Array | undefined;
  /** Begins to register, and keeps the registration. Without a ticket nothing is sent. A new connection: `stop`, then `start`. */
  start(now: Instant): void;
  /** Ends without a word; the server forgets the session by itself. */
  stop(): void;
  setTicket(ticket: Uint8Array, now: Instant): void;
  /** Asks at once whether the session still stands; when nothing answers, registers anew. */
  check(now: Instant): void;
  sendTombstone(tombstone: Uint8Array, signature: Uint8Array): void;
  /** A frame from this server, other than `deliver`. @returns false when it is none of this registration. */
  handleFrame(frame: Uint8Array, now: Instant): boolean;
  handleTimeout(now: Instant): void;
  pollTransmit(): Uint8Array | undefined;
  pollEvent(): RelayClientEvent | undefined;
  pollTimeout(): Instant | undefined;
}
