import { useSyncExternalStore } from 'react';
import { type LiveEvent, type LiveStatus, LiveStream } from './live-stream.js';
import { queryClient } from './query-client.js';

/** A page that nobody sees lets its connection go after this, milliseconds: browsers have six for all pages together. */
const HIDDEN_FOR = 60_000;
/** Events come in swarms; what they made stale is asked for once, this long after the first. Milliseconds. */
const GATHER = 150;

/** Families of queries (queries.ts) that an event makes stale, by the first word of its type. */
const STALE: Readonly<Record<string, readonly string[]>> = {
  // A join spends a use of its token.
  node: ['nodes', 'topology', 'networks', 'tokens', 'addresses', 'files', 'status'],
  network: ['networks', 'topology', 'nodes', 'addresses', 'files', 'status'],
  token: ['tokens'],
  apikey: ['apikeys'],
  session: ['sessions'],
  user: ['sessions'],
  'signal-server': ['signals'],
  'signal-token': ['signals'],
  bounce: ['nodes', 'topology', 'files'],
  'config-key': ['nodes'],
  'preshared-key': ['nodes', 'files'],
};

type Listener = (event: LiveEvent) => void;

/** What happens, as it happens: one stream for the whole page. */
class Live {
  #stream: LiveStream | undefined;
  #status: LiveStatus = 'connecting';
  /** Views that show paths and traffic. */
  #watchers = 0;
  #telemetry = false;
  readonly #subscribers = new Set<() => void>();
  readonly #listeners = new Set<Listener>();
  readonly #reopened = new Set<() => void>();
  #stale = new Set<string>();
  #refreshing = false;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #since = Date.now();

  get status(): LiveStatus {
    return this.#status;
  }

  /** Unix milliseconds at which the status became what it is. */
  get since(): number {
    return this.#since;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#subscribers.add(listener);
    return () => void this.#subscribers.delete(listener);
  };

  /** Every event, in order. @returns what takes that back. */
  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** After a break: what is observed only was missed. */
  onReopened(listener: () => void): () => void {
    this.#reopened.add(listener);
    return () => void this.#reopened.delete(listener);
  }

  /** Asks for paths and traffic, too, until what it returns is called. */
  watchTelemetry(): () => void {
    this.#watchers += 1;
    this.#open();
    return () => {
      this.#watchers -= 1;
    };
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#visibility);
    window.addEventListener('online', this.#reconnect);
    this.#open();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#visibility);
    window.removeEventListener('online', this.#reconnect);
    clearTimeout(this.#hidden);
    this.#stream?.close();
    this.#stream = undefined;
  }

  /** For a button, and for whoever knows that the network is back. */
  readonly #reconnect = (): void => this.#stream?.connect();
  retry(): void {
    this.#reconnect();
  }

  #open(): void {
    const telemetry = this.#telemetry || this.#watchers > 0;
    if (this.#stream && telemetry === this.#telemetry) return;
    this.#telemetry = telemetry;
    if (this.#stream) {
      this.#stream.reopen();
      return;
    }
    this.#stream = new LiveStream({
      url: () => `/api/v1/events${this.#telemetry ? '?telemetry=true' : ''}`,
      onEvent: (event) => this.#take(event),
      onOpen: (again) => this.#opened(again),
      onStatus: (status) => this.#turn(status),
    });
    this.#stream.connect();
  }

  #opened(again: boolean): void {
    if (!again) return;
    for (const listener of this.#reopened) listener();
    this.#makeStale(['topology', 'nodes']);
  }

  #turn(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#since = Date.now();
    for (const subscriber of this.#subscribers) subscriber();
  }

  #take(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
    // We read too slowly: as after a break, what was observed in between was missed.
    if (event.type === 'topology.lapsed') this.#opened(true);
    if (event.type.startsWith('topology.')) return;
    if (event.type === 'reset') {
      void queryClient.invalidateQueries();
      return;
    }
    this.#makeStale(['audit', ...(STALE[event.type.split('.')[0]!] ?? [])]);
  }

  #makeStale(families: readonly string[]): void {
    for (const family of families) this.#stale.add(family);
    if (this.#refreshing) return;
    this.#refreshing = true;
    setTimeout(() => void this.#refresh(), GATHER);
  }

  /** One after the other: events without a pause would else cut off each answer before it is there. */
  async #refresh(): Promise<void> {
    const stale = this.#stale;
    this.#stale = new Set();
    await queryClient.invalidateQueries({ predicate: ({ queryKey }) => stale.has(String(queryKey[0])) });
    this.#refreshing = false;
    if (this.#stale.size > 0) this.#makeStale([]);
  }

  readonly #visibility = (): void => {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#stream?.pause(), HIDDEN_FOR);
    else this.#reconnect();
  };
}

export const live = new Live();

/** `live`, `connecting`, `lost` or `refused` (signed out). */
export const useLiveStatus = (): LiveStatus => useSyncExternalStore(live.subscribe, () => live.status);
