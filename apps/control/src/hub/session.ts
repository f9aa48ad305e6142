import type { NodeId } from '@warren/base';
import type { TombstoneRow } from '@warren/db';
import { type Position, type SelfConfig, SyncResponse } from '@warren/proto';
import { tombstoneToWire } from '../codec/agent-codec.js';
import { digestBytes, isDigest } from './digest.js';
import type { Entry } from './entries.js';
import { NOTHING_OBSERVED, type Observed } from './observed.js';

/** One agent's stream, as the hub needs it: the gRPC side implements it. */
export interface SyncStream {
  /** Takes one encoded `SyncResponse`; `flushed` is called when the transport has taken its bytes. */
  send(bytes: Uint8Array, flushed: () => void): void;
  /** Ends after what was sent; cuts the connection if that does not come to an end soon. */
  end(): void;
}

export type FarewellCode = 'node-revoked' | 'node-expired' | 'node-removed' | 'clone' | 'resync' | 'draining';

/** What an agent is told whose node was deleted. */
export const REMOVED = 'this node was removed; join again with a new token';

export interface SessionLimits {
  /** Bytes that may wait for a slow reader. One message alone may be larger. */
  readonly maxBuffered: number;
  /** Milliseconds that a change may stay unacknowledged. */
  readonly maxUnacked: number;
}

export const DEFAULT_LIMITS: SessionLimits = { maxBuffered: 4 * 1024 * 1024, maxUnacked: 60_000 };

/** What changes for one agent from the position that it was last sent. */
export interface SessionDelta {
  readonly to: Position;
  readonly upsert: readonly Entry[];
  readonly remove: readonly NodeId[];
  readonly tombstones: readonly TombstoneRow[];
  readonly self?: SelfConfig;
  /** Digest of the agent's entries after the delta. */
  readonly digest: bigint;
}

/** Encoded deltas of one publication, so that equal ones are encoded once. */
export type DeltaCache = Map<string, Uint8Array>;

/** What we know of one connected agent: the position it was sent, what it acknowledged, and how much waits. */
export class Session {
  #position: Position = { epoch: 0, revision: 0 };
  #digest = 0n;
  #buffered = 0;
  #unackedSince: number | undefined;
  #open = true;
  #said: FarewellCode | undefined;
  #ticketAt: number | undefined;
  /** Who waits for a sign of life. */
  #questions: ((answered: boolean) => void)[] = [];
  /** What the agent sees on its host; observed, so it goes with the stream. */
  observed: Observed = NOTHING_OBSERVED;
  /** When it began, by the clock of `now`. */
  readonly since: number;

  constructor(
    readonly nodeId: NodeId,
    readonly startGeneration: number,
    private readonly stream: SyncStream,
    private readonly limits: SessionLimits,
    private readonly now: () => number,
  ) {
    this.since = now();
  }

  /** The position of the last message sent. */
  get position(): Position {
    return this.#position;
  }
  get digest(): bigint {
    return this.#digest;
  }
  /** Whether all that it was sent is acknowledged. */
  get isSettled(): boolean {
    return this.#unackedSince === undefined;
  }
  /** False once a farewell was said or the stream is gone: nothing is sent any more. */
  get open(): boolean {
    return this.#open;
  }
  /** Bytes that wait in our memory. */
  get buffered(): number {
    return this.#buffered;
  }

  sendSnapshot(
    position: Position,
    self: SelfConfig,
    entries: readonly Entry[],
    tombstones: readonly TombstoneRow[],
    digest: bigint,
  ): void {
    const peers = entries.map((entry) => entry.bytes as Buffer);
    const value = { position, self, peers, tombstones: tombstones.map(tombstoneToWire) };
    this.#sendChange(SyncResponse.encode({ message: { $case: 'snapshot', value } }).finish(), position, digest);
  }

  /** Begins at a position that the agent already holds. */
  resumeAt(position: Position, digest: bigint): void {
    this.#position = position;
    this.#digest = digest;
  }

  sendDelta(delta: SessionDelta, cache?: DeltaCache): void {
    const key = delta.self ? undefined : this.#cacheKey(delta);
    const known = key === undefined ? undefined : cache?.get(key);
    const bytes = known ?? encodeDelta(this.#position, delta);
    if (key !== undefined) cache?.set(key, bytes);
    this.#sendChange(bytes, delta.to, delta.digest);
  }

  /**
   * Whether the agent says anything within so many milliseconds. It is asked by a delta that changes nothing, which every
   * agent acknowledges.
   */
  answers(milliseconds: number): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#questions.push((answered) => {
        clearTimeout(timer);
        resolve(answered);
      });
      this.sendDelta({ to: this.#position, upsert: [], remove: [], tombstones: [], digest: this.#digest });
    });
  }

  /** The agent's word for where it stands. */
  acknowledge(position: Position | undefined): void {
    this.#settleQuestions(true);
    if (!position || position.epoch !== this.#position.epoch) return;
    this.#unackedSince = position.revision >= this.#position.revision ? undefined : this.now();
  }

  /** Whether an agent at `position` says what we know it holds. Undefined: it stands elsewhere, nothing can be said. */
  agrees(position: Position | undefined, digest: Uint8Array): boolean | undefined {
    if (position?.epoch !== this.#position.epoch || position.revision !== this.#position.revision) return undefined;
    return isDigest(this.#digest, digest);
  }

  sendHeartbeatReply(): void {
    const value = { position: this.#position, digest: Buffer.from(digestBytes(this.#digest)) };
    this.#send(SyncResponse.encode({ message: { $case: 'heartbeatReply', value } }).finish());
  }

  /** Milliseconds since the last ticket; 0 without any. */
  get ticketAge(): number {
    return this.#ticketAt === undefined ? 0 : this.now() - this.#ticketAt;
  }

  sendTicket(ticket: Uint8Array): void {
    this.#ticketAt = this.now();
    this.tell({ $case: 'signalTicket', value: { ticket: Buffer.from(ticket) } });
  }

  /** Says what is no change of the network: nothing is acknowledged. */
  tell(message: NonNullable<SyncResponse['message']>): void {
    this.#send(SyncResponse.encode({ message }).finish());
  }

  /** Why we ended it; undefined as long as we did not. */
  get said(): FarewellCode | undefined {
    return this.#said;
  }

  /** Says why, and ends. */
  farewell(code: FarewellCode, message: string, tombstone?: TombstoneRow): void {
    if (!this.#open) return;
    this.#said = code;
    const value = { code, message, tombstone: tombstone && tombstoneToWire(tombstone) };
    this.stream.send(SyncResponse.encode({ message: { $case: 'farewell', value } }).finish(), () => {});
    this.close();
  }

  /** Ends without a word. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.stream.end();
    this.#settleQuestions(false);
  }

  /** The stream is gone. */
  lost(): void {
    this.#open = false;
    this.#settleQuestions(false);
  }

  /** Cuts an agent that no longer acknowledges. Called now and then. */
  checkProgress(): void {
    if (this.#unackedSince !== undefined && this.now() - this.#unackedSince > this.limits.maxUnacked) {
      this.farewell('resync', 'changes were not acknowledged in time: connect again');
    }
  }

  #settleQuestions(answered: boolean): void {
    for (const settle of this.#questions.splice(0)) settle(answered);
  }

  #sendChange(bytes: Uint8Array, position: Position, digest: bigint): void {
    this.#position = position;
    this.#digest = digest;
    this.#unackedSince ??= this.now();
    this.#send(bytes);
  }

  #send(bytes: Uint8Array): void {
    if (!this.#open) return;
    if (this.#buffered > 0 && this.#buffered + bytes.length > this.limits.maxBuffered) {
      this.farewell('resync', 'changes were read too slowly: connect again');
      return;
    }
    this.#buffered += bytes.length;
    this.stream.send(bytes, () => {
      this.#buffered -= bytes.length;
    });
  }

  #cacheKey(delta: SessionDelta): string {
    const upsert = delta.upsert.map((entry) => entry.serial).join();
    return `${this.#position.revision} ${upsert} ${delta.remove.join()}`;
  }
}

function encodeDelta(from: Position, delta: SessionDelta): Uint8Array {
  const value = {
    from,
    to: delta.to,
    self: delta.self,
    upsert: delta.upsert.map((entry) => entry.bytes as Buffer),
    remove: [...delta.remove],
    tombstones: delta.tombstones.map(tombstoneToWire),
  };
  return SyncResponse.encode({ message: { $case: 'delta', value } }).finish();
}
