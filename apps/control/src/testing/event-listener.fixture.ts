import { expect } from 'vitest';
import type { TestPlane } from './control-plane.fixture.js';

export interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: Record<string, unknown>;
  readonly comment?: string;
}

/** Reads `GET /events` as a browser's EventSource does. */
export class Listener {
  readonly messages: Message[] = [];
  lastId = '';
  ended = false;
  readonly #abort = new AbortController();

  static async open(
    plane: TestPlane,
    query = '',
    headers: Record<string, string> = {},
    key = plane.firstApiKey,
  ): Promise<Listener> {
    const listener = new Listener();
    const answer = await fetch(`${plane.context.about.httpUrl}/api/v1/events${query}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      signal: listener.#abort.signal,
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    void listener.#read(answer).then(
      () => {
        listener.ended = true;
      },
      () => {
        listener.ended = true;
      },
    );
    await listener.until(() => listener.lastId !== '', 'the first id');
    return listener;
  }

  close(): void {
    this.#abort.abort();
  }

  async until<T>(condition: () => T, what: string): Promise<NonNullable<T>> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const found = condition();
      if (found) return found;
      if (Date.now() > deadline) throw new Error(`${what} did not come: ${JSON.stringify(this.messages)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  next(event: string, subject?: string): Promise<Message> {
    const wanted = (message: Message) =>
      message.event === event && (subject === undefined || message.data?.subject === subject);
    return this.until(() => this.messages.find(wanted), `${event} of ${subject}`);
  }

  async #read(answer: Response): Promise<void> {
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (text + chunk).split('\n\n');
      text = parts.pop()!;
      for (const part of parts) this.#take(part);
    }
  }

  #take(part: string): void {
    const fields = Object.fromEntries(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line]));
    const field = (name: string) => fields[name]?.slice(name.length + 2);
    const id = field('id');
    if (id !== undefined) this.lastId = id;
    const [event, data, comment] = [field('event'), field('data'), fields['']?.slice(2)];
    this.messages.push({
      ...(id === undefined ? {} : { id }),
      ...(event === undefined ? {} : { event }),
      ...(data === undefined ? {} : { data: JSON.parse(data) as Record<string, unknown> }),
      ...(comment === undefined ? {} : { comment }),
    });
  }
}
