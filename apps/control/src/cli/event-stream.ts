import { setTimeout as pause } from 'node:timers/promises';
import { WarrenError } from '@warren/base';

/** One event of a `text/event-stream` (HTML standard §9.2). */
export interface ServerSentEvent {
  /** Empty when the server gave none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Characters of one event; a server that sends more is none of ours. */
const LONGEST = 4 * 1024 * 1024;

/** Takes the bytes of a stream as they come and gives the events that are complete (HTML standard §9.2.6). */
export class EventStreamParser {
  private rest = '';
  private data: string[] = [];
  private event = '';
  private held = 0;
  private readonly decoder = new TextDecoder();
  private pendingId: string;

  /** Milliseconds after which the server wants to be asked again, once it has said so. */
  retry: number | undefined;

  /** @param lastId where to go on after a break: moves with every event, also with one that is nothing but an id. */
  constructor(public lastId = '') {
    this.pendingId = lastId;
  }

  /** @throws WarrenError `unreachable` for an event without end. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    // A CR at the end may be half of a line's end, so it waits for what follows.
    const text = this.rest + this.decoder.decode(bytes, { stream: true });
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    const events = lines.flatMap((line) => this.line(line) ?? []);
    if (this.held + this.rest.length > LONGEST) {
      throw new WarrenError('unreachable', 'the event is too long to be from a control plane');
    }
    return events;
  }

  private line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id' && !value.includes('\0')) this.pendingId = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retry = Number(value);
    this.held += line.length;
    return undefined;
  }

  private dispatch(): ServerSentEvent | undefined {
    this.lastId = this.pendingId;
    const complete = { id: this.lastId, event: this.event || 'message', data: this.data.join('\n') };
    const isEmpty = this.data.length === 0;
    this.data = [];
    this.event = '';
    this.held = 0;
    return isEmpty ? undefined : complete;
  }
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

export interface FollowOptions {
  /** Asks for what came after the event of this id; empty: from now on. Throws what must not be tried again. */
  open(lastId: string): Promise<ReadableStream<Uint8Array>>;
  /** An error of `open` or of the stream that another attempt may mend. */
  isPassing(error: unknown): boolean;
  onEvent(event: ServerSentEvent): void;
  /** The connection was lost: once, however long it takes until another one brings something. */
  onLost(error: unknown): void;
  readonly since: string;
  readonly signal?: AbortSignal;
}

/**
 * Follows a stream of events until `signal`: whenever it breaks off, asks again for what came after the last event that
 * was complete, so that none is missed and none comes twice.
 *
 * @throws what `open` throws and `isPassing` does not take for passing.
 */
export async function follow(options: FollowOptions): Promise<void> {
  const { signal } = options;
  let lastId = options.since;
  let wait = FIRST_PAUSE;
  while (!signal?.aborted) {
    const parser = new EventStreamParser(lastId);
    try {
      const stream = await options.open(lastId);
      for await (const bytes of stream as unknown as AsyncIterable<Uint8Array>) {
        wait = FIRST_PAUSE;
        for (const event of parser.push(bytes)) options.onEvent(event);
        lastId = parser.lastId;
      }
      if (!signal?.aborted && wait === FIRST_PAUSE) options.onLost(undefined);
    } catch (error) {
      if (signal?.aborted) return;
      if (!options.isPassing(error)) throw error;
      if (wait === FIRST_PAUSE) options.onLost(error);
    }
    await pause(parser.retry ?? wait, undefined, signal ? { signal } : {}).catch(() => {});
    wait = Math.min(wait * 2, LONGEST_PAUSE);
  }
}
