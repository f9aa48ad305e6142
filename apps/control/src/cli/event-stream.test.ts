import { describe, expect, it } from 'vitest';
import { EventStreamParser, follow, type ServerSentEvent } from './event-stream.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (...pieces: string[]): ServerSentEvent[] => {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(bytes(piece)));
};

describe('a stream of events', () => {
  it('is read whatever ends its lines, and wherever it is cut', () => {
    const text = ': hello\n\nid: 7\nevent: node.join\ndata: {"a":1}\n\ndata:x\ndata: y\n\n';
    const events = [
      { id: '7', event: 'node.join', data: '{"a":1}' },
      { id: '7', event: 'message', data: 'x\ny' },
    ];
    for (const end of ['\n', '\r\n', '\r']) {
      const written = text.replaceAll('\n', end);
      // The last line end of a stream of CRs waits for what follows, which could be its LF.
      expect(parse(written, 'x'), JSON.stringify(end)).toEqual(events);
      expect(parse(...written, 'x'), JSON.stringify(end)).toEqual(events);
    }
  });

  it('keeps letters whole that were cut in two', () => {
    const parser = new EventStreamParser();
    const whole = bytes('data: ü\n\n');
    const events = [...whole].flatMap((byte) => parser.push(Uint8Array.of(byte)));
    expect(events).toEqual([{ id: '', event: 'message', data: 'ü' }]);
  });

  it('gives nothing for comments, unknown fields and an event that has not ended', () => {
    expect(parse(':\n\nevent: x\n\nfoo: bar\n\ndata: begun')).toEqual([]);
  });

  it('does not grow without bound', () => {
    expect(() => parse('data: ', ...Array.from({ length: 5 }, () => 'x'.repeat(1024 * 1024)))).toThrow(/too long/);
    const lines = Array.from({ length: 5 }, () => `data: ${'x'.repeat(1024 * 1024)}\n`);
    expect(() => parse(...lines)).toThrow(/too long/);
  });
});

const streamOf = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream();

describe('following', () => {
  it('asks again for what came after the last complete event', async () => {
    const stop = new AbortController();
    const asked: string[] = [];
    const seen: string[] = [];
    const lost: unknown[] = [];
    const passing = new Error('refused');
    const answers = ['retry: 1\nid: 5\ndata: a\n\nid: 6\ndata: cut', passing, 'retry: 1\nid: 6\ndata: b\n\nid: 8\n\n'];
    await follow({
      since: '4',
      signal: stop.signal,
      open: async (lastId) => {
        asked.push(lastId);
        const answer = answers.shift();
        if (answer === undefined) stop.abort();
        if (answer instanceof Error) throw answer;
        return streamOf(answer ?? '');
      },
      isPassing: (error) => error === passing,
      onEvent: ({ data }) => seen.push(data),
      onLost: (error) => lost.push(error),
    });
    expect(asked).toEqual(['4', '5', '5', '8']);
    expect(seen).toEqual(['a', 'b']);
    expect(lost).toEqual([undefined, undefined]);
  });

  it('ends with an error that no other attempt can mend', async () => {
    const refused = new Error('wrong key');
    const open = async () => {
      throw refused;
    };
    const nothing = () => {};
    const options = { since: '', open, isPassing: () => false, onEvent: nothing, onLost: nothing };
    await expect(follow(options)).rejects.toBe(refused);
  });
});
