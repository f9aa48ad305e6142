import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** Without a sign of life for so long a stream is dead: the control plane says something every 15 s. Milliseconds. */
const SILENCE = 40_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

export type LiveStatus = 'connecting' | 'live' | 'lost' | 'refused';

/** What happened, as the control plane says it. */
export interface LiveEvent {
  readonly type: string;
  readonly data: unknown;
}

export interface LiveStreamOptions {
  /** Of the events; asked at each connection. */
  readonly url: () => string;
  readonly onEvent: (event: LiveEvent) => void;
  /** @param again a stream was there before: what has no place in the order of events was missed. */
  readonly onOpen: (again: boolean) => void;
  readonly onStatus: (status: LiveStatus) => void;
}

/**
 * Server-sent events over fetch, for ever: connects again after a loss, from where it was. Unlike EventSource it notices a
 * connection that has died in silence, and an answer that is a refusal.
 */
export class LiveStream {
  #position: string | undefined;
  #attempt = 0;
  #opened = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #connection: AbortController | undefined;
  #closed = false;

  constructor(private readonly options: LiveStreamOptions) {}

  /** Connects at once, also while it waits to. Does nothing while connected. */
  connect(): void {
    if (this.#closed || this.#connection) return;
    clearTimeout(this.#timer);
    const connection = new AbortController();
    this.#connection = connection;
    if (!this.#opened) this.options.onStatus('connecting');
    void this.#run(connection).then((refused) => this.#ended(connection, refused));
  }

  /** Lets the connection go without forgetting the position: `connect` goes on there. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#connection?.abort();
    this.#connection = undefined;
  }

  /** Connects anew, at another address perhaps, and goes on where it was. */
  reopen(): void {
    this.pause();
    this.connect();
  }

  close(): void {
    this.#closed = true;
    this.pause();
  }

  /** @returns whether there is no use in trying again. */
  async #run(connection: AbortController): Promise<boolean> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort(), SILENCE);
    };
    try {
      alive();
      const headers = { accept: 'text/event-stream', ...(this.#position && { 'last-event-id': this.#position }) };
      const response = await fetch(this.options.url(), { headers, signal: connection.signal, cache: 'no-store' });
      if (!response.ok || !response.body) return response.status === 401 || response.status === 403;
      this.options.onOpen(this.#opened);
      this.#opened = true;
      this.#attempt = 0;
      this.options.onStatus('live');
      const parser = createParser({ onEvent: (message) => this.#take(message), onComment: () => undefined });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        alive();
        parser.feed(piece.value);
        this.#position = parserPosition(piece.value) ?? this.#position;
      }
    } catch {
      // Cut, or never connected: tried again by whoever called.
    } finally {
      clearTimeout(silence);
    }
    return false;
  }

  #take(message: EventSourceMessage): void {
    if (message.id !== undefined) this.#position = message.id;
    let data: unknown;
    try {
      data = JSON.parse(message.data);
    } catch {
      return;
    }
    this.options.onEvent({ type: message.event ?? 'message', data });
  }

  #ended(connection: AbortController, refused: boolean): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#closed) return;
    this.options.onStatus(refused ? 'refused' : 'lost');
    if (refused) return;
    const wait = Math.min(FIRST_WAIT * 2 ** this.#attempt, LONGEST_WAIT);
    this.#attempt += 1;
    // Spread, so that all pages do not come back in one moment.
    this.#timer = setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }
}

/** The last whole `id:` line of a piece; an id may come without an event, which no parser tells of. */
function parserPosition(piece: string): string | undefined {
  return [...piece.matchAll(/^id: ?(.+)\n/gm)].at(-1)?.[1];
}
