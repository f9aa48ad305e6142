import type { NetworkId, NodeId } from '@warren/base';
import type { EventRow, Store } from '@warren/db';
import type { Log } from '../log.js';

/** Events that are kept for those who follow closely; who is further behind reads the database. */
const KEPT = 1_000;
const PAGE = 500;
/** How long a lost notification may delay an event, milliseconds. */
const POLL_INTERVAL = 5_000;
/** While entries wait for a transaction that still runs, milliseconds. */
const HELD_INTERVAL = 50;
const LONGEST_HELD_INTERVAL = 1_000;

/** An agent's stream began or ended here. Observed: it has no place in the order of events. */
export interface PresenceEvent {
  readonly type: 'node.online' | 'node.offline';
  readonly networkId: NetworkId;
  readonly nodeId: NodeId;
  readonly at: Date;
}

/**
 * The audit log as it grows, read once for all who follow it here. Reading begins with the first follower. Durable
 * events come in commit order; those of presence come as they happen, of agents that are connected to this process.
 */
export class EventFeed {
  readonly #kept: EventRow[] = [];
  /** The kept events are those after this position. */
  #floor = '';
  #position = '';
  #opened: Promise<void> | undefined;
  #listening: { close(): Promise<void> } | undefined;
  #reading = false;
  #again = false;
  #poll: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #heldFor = 0;
  #closed = false;
  readonly #waiters = new Set<() => void>();
  readonly #presence = new Set<(event: PresenceEvent) => void>();

  constructor(
    private readonly store: Pick<Store, 'eventsAfter' | 'eventTail' | 'onEvent'>,
    private readonly log: Log,
  ) {}

  /** Starts reading, once. @returns the position of the newest event. */
  async open(): Promise<string> {
    this.#opened ??= this.#start();
    try {
      await this.#opened;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
    return this.#position;
  }

  /** Events after a position, a page at most; none: there are none yet. The feed must be open. */
  async after(position: string): Promise<readonly EventRow[]> {
    const known = comparePositions(position, this.#floor) >= 0;
    if (!known) return (await this.store.eventsAfter(position, PAGE)).events;
    const from = this.#kept.findIndex((event) => comparePositions(event.position, position) > 0);
    return from < 0 ? [] : this.#kept.slice(from, from + PAGE);
  }

  /** Calls back once, when there are more events. @returns what takes that back. */
  onNext(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => void this.#waiters.delete(wake);
  }

  onPresence(listener: (event: PresenceEvent) => void): () => void {
    this.#presence.add(listener);
    return () => void this.#presence.delete(listener);
  }

  /** Told by the hubs. */
  notePresence(event: PresenceEvent): void {
    for (const listener of this.#presence) listener(event);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#retry);
    await this.#listening?.close();
  }

  async #start(): Promise<void> {
    this.#position = await this.store.eventTail();
    this.#floor = this.#position;
    this.#listening = await this.store.onEvent(() => this.#read());
    this.#poll = setInterval(() => this.#read(), POLL_INTERVAL).unref();
    // What came between the tail and the listening.
    this.#read();
  }

  /** One reading at a time; a call during one makes it go on. */
  #read(): void {
    this.#again = true;
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    void this.#readAll()
      .catch((error: unknown) => this.log.warn({ err: error }, 'cannot read events'))
      .finally(() => {
        this.#reading = false;
      });
  }

  async #readAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      const { events, held } = await this.store.eventsAfter(this.#position, PAGE);
      this.#take(events);
      if (events.length === PAGE) this.#again = true;
      this.#heldFor = held ? Math.min(this.#heldFor * 2 || HELD_INTERVAL, LONGEST_HELD_INTERVAL) : 0;
      clearTimeout(this.#retry);
      if (held) this.#retry = setTimeout(() => this.#read(), this.#heldFor).unref();
    }
  }

  #take(events: readonly EventRow[]): void {
    if (events.length === 0) return;
    this.#kept.push(...events);
    this.#position = events.at(-1)!.position;
    const gone = this.#kept.splice(0, Math.max(0, this.#kept.length - KEPT));
    this.#floor = gone.at(-1)?.position ?? this.#floor;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

/** Positions order by transaction, then by entry; both are numbers beyond 2^53. */
function comparePositions(a: string, b: string): number {
  const [aTx, aId] = a.split('-').map(BigInt) as [bigint, bigint];
  const [bTx, bId] = b.split('-').map(BigInt) as [bigint, bigint];
  const order = aTx === bTx ? aId - bId : aTx - bTx;
  return order < 0n ? -1 : order > 0n ? 1 : 0;
}
