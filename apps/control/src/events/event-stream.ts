import type { NetworkId } from '@warren/base';
import type { EventRow } from '@warren/db';
import type { EventFeed, PresenceEvent } from './event-feed.js';

/** Milliseconds after which a browser connects again; part of the stream. */
const RETRY = 2_000;
/** Proxies close what is silent for a minute. */
const HEARTBEAT_INTERVAL = 15_000;
/** Presence events that wait for a slow reader; with more it is cut. */
const MOST_WAITING = 1_000;
/** Characters of topology that wait for a slow reader; with more they are left out, and it is told so. */
const MOST_TOPOLOGY = 16 * 1024 * 1024;
const LAPSED = `event: topology.lapsed\ndata: {"reason":"the topology was read too slowly: read it anew"}\n\n`;

/** What ends a session or an API key. */
const GRANTS = /^(session\.(sign-out|end)|user\.set-password|apikey\.delete)$/;

/** What a stream of events is made of. */
export interface EventStreamOptions {
  readonly feed: EventFeed;
  /** The feed's newest position when the stream began. */
  readonly tail: string;
  /** Where to go on; undefined: from now. */
  readonly from: string | undefined;
  /** Why the stream cannot go on where the caller was, and begins now. */
  readonly reset: string | undefined;
  readonly networkId: NetworkId | undefined;
  /** Milliseconds of silence, after which a comment is sent, and of listening, after which the caller is asked about. */
  readonly heartbeat?: number | undefined;
  /** Begins to tell of the topology, as text of events; what it returns ends that. */
  readonly watch?: (watcher: (event: string) => void) => () => void;
  /** Whether the caller may still listen. */
  readonly mayGoOn: () => Promise<boolean>;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * Server-sent events (HTML standard, §9.2) as text, in pieces as the reader takes them: nothing is read ahead of it,
 * and it is cut (the generator ends) when presence events pile up, or its caller may not listen any more.
 */
export async function* eventStream(options: EventStreamOptions): AsyncGenerator<string, void, undefined> {
  const { feed, tail, from, reset, networkId, signal, heartbeat = HEARTBEAT_INTERVAL } = options;
  const inbox = new Inbox(options);
  let position = reset === undefined ? (from ?? tail) : tail;
  let askedAt = performance.now();
  try {
    yield `retry: ${RETRY}\n\n`;
    // An id alone dispatches nothing, and is where the reader goes on after a break.
    yield reset === undefined ? `id: ${position}\n\n` : message('reset', { reason: reset }, position);
    while (!signal.aborted && !inbox.overflown) {
      if (performance.now() - askedAt >= heartbeat) {
        if (!(await options.mayGoOn())) return;
        askedAt = performance.now();
      }
      const events = await feed.after(position);
      // Who may listen may be another now; nothing goes to who may not.
      if (events.some(({ action }) => GRANTS.test(action)) && !(await options.mayGoOn())) return;
      const wanted = events.filter((event) => networkId === undefined || event.networkId === networkId);
      const presence = inbox.take();
      const topology = inbox.takeTopology();
      position = events.at(-1)?.position ?? position;
      const text = [...wanted.map(durable), ...presence.map(observed), ...topology].join('');
      if (events.length > 0 && wanted.at(-1) !== events.at(-1)) yield `${text}id: ${position}\n\n`;
      else if (text !== '') yield text;
      if (events.length > 0) continue;
      if (!(await inbox.something(heartbeat))) yield ': still here\n\n';
    }
  } finally {
    inbox.close();
  }
}

const message = (type: string, data: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

const durable = ({ position, id, at, action, ...row }: EventRow): string =>
  message(action, { type: action, ...row, at: at.toISOString(), auditId: id }, position);

/** Without an id: what was missed is not told again, as it may no longer be so. */
const observed = ({ type, networkId, nodeId, at }: PresenceEvent): string =>
  message(type, { type, networkId, subject: nodeId, actor: `node:${nodeId}`, at: at.toISOString(), details: {} });

/** What wakes a stream: more events, presence, the heartbeat, the end. */
class Inbox {
  #presence: PresenceEvent[] = [];
  #topology: string[] = [];
  #topologySize = 0;
  #wake: ((woken: boolean) => void) | undefined;
  #woken = false;
  readonly #leave: () => void;
  readonly #unwatch: (() => void) | undefined;
  #forget: () => void = () => undefined;

  constructor(private readonly options: EventStreamOptions) {
    this.#unwatch = options.watch?.((event) => this.#takeIn(event));
    this.#leave = options.feed.onPresence((event) => {
      if (options.networkId !== undefined && event.networkId !== options.networkId) return;
      if (this.#presence.length <= MOST_WAITING) this.#presence.push(event);
      this.#rouse();
    });
    options.signal.addEventListener('abort', this.#rouse);
    this.#forget = options.feed.onNext(this.#rouse);
  }

  get overflown(): boolean {
    return this.#presence.length > MOST_WAITING;
  }

  take(): readonly PresenceEvent[] {
    return this.#presence.splice(0);
  }

  takeTopology(): readonly string[] {
    this.#topologySize = 0;
    return this.#topology.splice(0);
  }

  #takeIn(event: string): void {
    if (this.#topology[0] === LAPSED) return;
    this.#topologySize += event.length;
    if (this.#topologySize > MOST_TOPOLOGY) this.#topology = [LAPSED];
    else this.#topology.push(event);
    this.#rouse();
  }

  /** Resolves true when there may be something, false at the next heartbeat. */
  async something(heartbeat: number): Promise<boolean> {
    if (this.options.signal.aborted) return true;
    if (!this.#woken) {
      let timer: NodeJS.Timeout | undefined;
      this.#woken = await new Promise<boolean>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, heartbeat, false);
      });
      clearTimeout(timer);
      this.#wake = undefined;
    }
    const woken = this.#woken;
    this.#woken = false;
    this.#forget();
    this.#forget = this.options.feed.onNext(this.#rouse);
    return woken;
  }

  close(): void {
    this.#leave();
    this.#unwatch?.();
    this.#forget();
    this.options.signal.removeEventListener('abort', this.#rouse);
  }

  readonly #rouse = (): void => {
    this.#woken = true;
    this.#wake?.(true);
  };
}
