import type { NetworkId } from '@warren/base';
import type { NodeKind, NodeStatus, Role } from '@warren/topology';
import type { Actor, Page, PageQuery } from './store-api.js';

/** One entry of the audit log: who did what to whom; never a secret. */
export interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly actor: Actor;
  /** `node.join`, `node.revoke`, `token.create`, … */
  readonly action: string;
  readonly networkId: NetworkId | null;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Which entries of the audit log are wanted; all conditions hold. */
export interface AuditFilter {
  readonly networkId?: NetworkId;
  /** A whole action, or with a dot at its end all that begin so: `node.`. */
  readonly action?: string;
  readonly actor?: Actor;
  readonly subject?: string;
  /** Inclusive. */
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
}

/** Which nodes are wanted; all conditions hold. */
export interface NodeFilter {
  readonly networkId?: NetworkId;
  readonly status?: NodeStatus;
  readonly role?: Role;
  readonly kind?: NodeKind;
  /** A whole tag. */
  readonly tag?: string;
  /** Part of a name, or a whole tag, WireGuard key, address or id. */
  readonly q?: string;
}

/** An entry of the audit log with its place in commit order, to go on from; printable. */
export interface EventRow extends AuditRow {
  readonly position: string;
}

/** What was answered to a request with an Idempotency-Key. */
export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A request that is the first with its id, and may be done. */
export interface FirstRequest {
  /** Transactions of `work` commit only while the claim holds, and note that the request was done. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Keeps the answer, sealed, for 24 hours; one of 5xx, or beyond 64 KiB, is forgotten. */
  keep(answer: KeptAnswer): Promise<void>;
}

/** Requests by id, in all replicas and over restarts. */
export interface IdempotentRequests {
  /**
   * Claims an id (SHA-256 of caller, route and key), or gives the answer that its request had. One whose process died
   * before anything was committed may be claimed again after a minute and a half.
   */
  begin(id: Uint8Array, fingerprint: Uint8Array): Promise<FirstRequest | KeptAnswer>; // idempotency-key-reused, idempotency-in-progress, idempotency-answer-lost
}

/** The part of the store that knows of requests and of what they did. */
export interface StoreRequests {
  /** Writes that are done once, though they are asked for twice. */
  readonly idempotent: IdempotentRequests;
  /** Newest first. */
  audit(filter?: AuditFilter & PageQuery): Promise<Page<AuditRow>>;
  /**
   * Entries of the audit log after a position, oldest first, in an order that no later commit gets behind. `held`:
   * there are more, which wait for a transaction that still runs; ask again soon.
   */
  eventsAfter(position: string, limit: number): Promise<{ events: readonly EventRow[]; held: boolean }>; // bad-request
  /** The position of the newest entry. */
  eventTail(): Promise<string>;
  /** Whether a position, which may be any text, is one of this log. */
  isEventPosition(position: string): Promise<boolean>;
  /** Calls back when the audit log may have grown, in whatever replica. A notification may be lost: look now and then, too. */
  onEvent(listener: () => void): Promise<{ close(): Promise<void> }>;
  /**
   * Runs `work` while no other work of the same name runs, in any replica. It holds a connection meanwhile: four such at
   * once per process, the others wait.
   */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}
