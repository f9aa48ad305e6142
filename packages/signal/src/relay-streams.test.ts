import { Duplex, PassThrough } from 'node:stream';
import type { IpAddress } from '@warren/base';
import { encodeStreamFrame, StreamFrames } from '@warren/paths';
import { describe, expect, it, vi } from 'vitest';
import { DropCounts } from './drop-counts.js';
import { MAX_STREAM_PENDING_BYTES, MAX_STREAMS_OF_ADDRESS, PENDING_FRAME_OVERHEAD } from './limits.js';
import { RelayStreams } from './relay-streams.js';
import { StreamHub } from './stream-hub.js';
import { readStreamRecords, StreamRecords } from './stream-records.js';
import { at } from './testing/core-rig.js';

const REMOTE = { address: '192.0.2.1' as IpAddress, port: 5_000 };

/** The main thread's side alone; what it says to the worker is kept. */
function streamsOnly() {
  const said: unknown[] = [];
  const posted: Uint8Array[] = [];
  const streams = new RelayStreams({
    opened: (stream, remote) => said.push(['opened', stream, remote]),
    closed: (stream) => said.push(['closed', stream]),
    post: (records) => posted.push(records),
    taken: (bytes) => said.push(['taken', bytes]),
    log: (_, message) => said.push(message),
  });
  return { streams, said, posted };
}

function recordsOf(stream: number, frames: readonly Uint8Array[]): Uint8Array {
  const records = new StreamRecords();
  for (const frame of frames) records.append(stream, frame);
  return records.take();
}

/** Writes nothing until it is told to. */
class SlowStream extends Duplex {
  readonly written: Uint8Array[] = [];
  #waiting: (() => void) | undefined;
  #open = false;

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  override _read(): void {
    // nothing comes
  }

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.written.push(chunk);
    if (this.#open) done();
    else this.#waiting = done;
  }

  open(): void {
    this.#open = true;
    this.#waiting?.();
  }
}

describe('streams that do not read', () => {
  it('hold so much together, whoever they are: a stranger is answered as well', () => {
    const { streams } = streamsOnly();
    const answer = new Uint8Array(28);
    for (let i = 1; i <= 200; i++) streams.serve(new SlowStream(), REMOTE);
    for (let round = 0; round < 40; round++) {
      for (let id = 1; id <= 200; id++) {
        streams.send(
          recordsOf(
            id,
            Array.from({ length: 200 }, () => answer),
          ),
        );
      }
    }
    // 1.6 million answers of 30 bytes: each is an object, too.
    expect(streams.drops).toBeGreaterThan(1_000_000);
  });
});

describe('streams of one address', () => {
  it('are not all that there are, and make room when they end', async () => {
    const { streams, said } = streamsOnly();
    const opened = (): number => said.filter((one) => Array.isArray(one) && one[0] === 'opened').length;
    const serve = (address: string): PassThrough => {
      const stream = new PassThrough();
      streams.serve(stream, { address: address as IpAddress, port: 5_000 });
      return stream;
    };
    const first = serve('192.0.2.1');
    for (let i = 1; i < MAX_STREAMS_OF_ADDRESS; i++) serve('192.0.2.1');
    expect(serve('192.0.2.1').destroyed).toBe(true);
    expect(opened()).toBe(MAX_STREAMS_OF_ADDRESS);
    expect(serve('192.0.2.2').destroyed).toBe(false);
    for (let i = 0; i <= MAX_STREAMS_OF_ADDRESS; i++) serve(`2001:db8:1:${i.toString(16)}::1`);
    expect(serve('2001:db8:1:ffff::1').destroyed).toBe(true);
    expect(serve('2001:db8:2::1').destroyed).toBe(false);
    first.destroy();
    await vi.waitFor(() => expect(said).toContainEqual(['closed', 1]));
    expect(serve('192.0.2.1').destroyed).toBe(false);
  });
});

describe('streams of agents', () => {
  it('give the worker frames, however they are cut, and many at once', async () => {
    const { streams, said, posted } = streamsOnly();
    const [one, two] = [new PassThrough(), new PassThrough()];
    streams.serve(one, REMOTE);
    streams.serve(two, { ...REMOTE, port: 5_001 });
    const frame = new Uint8Array(300).fill(1);
    const bytes = encodeStreamFrame(frame);
    for (let i = 0; i < 3; i++) one.write(bytes);
    two.write(bytes.subarray(0, 1));
    two.write(bytes.subarray(1, 200));
    two.write(bytes.subarray(200));
    const found: number[] = [];
    await vi.waitFor(() => {
      for (const records of posted.splice(0)) readStreamRecords(records, (stream) => found.push(stream));
      expect(found.toSorted()).toEqual([1, 1, 1, 2]);
    });
    expect(said).toEqual([
      ['opened', 1, '192.0.2.1:5000'],
      ['opened', 2, '192.0.2.1:5001'],
    ]);
    one.destroy();
    await vi.waitFor(() => expect(said.at(-1)).toEqual(['closed', 1]));
  });

  it('that do not read lose the oldest, and hold a bounded number of bytes', async () => {
    const { streams, said } = streamsOnly();
    const slow = new SlowStream();
    streams.serve(slow, REMOTE);
    const frames = Array.from({ length: 2_000 }, (_, i) => new Uint8Array(998).fill(i));
    const records = recordsOf(1, frames);
    streams.send(records);
    expect(said.at(-1)).toEqual(['taken', records.length]);
    const kept = Math.floor(MAX_STREAM_PENDING_BYTES / (1_000 + PENDING_FRAME_OVERHEAD));
    expect(streams.drops).toBe(2_000 - kept - 1);
    slow.open();
    await vi.waitFor(() => expect(slow.written.length).toBe(kept + 1));
    const taken: number[] = [];
    const split = new StreamFrames();
    for (const chunk of slow.written) split.take(chunk, (frame) => taken.push(frame[0]!));
    expect(taken[0]).toBe(0); // on its way before the stream was full
    expect(taken.slice(1)).toEqual(frames.slice(-kept).map((frame) => frame[0]));
  });

  it('are paused while the worker is behind, and go on when it is not', async () => {
    const { streams, posted } = streamsOnly();
    const busy = new PassThrough({ highWaterMark: 1 << 20 });
    streams.serve(busy, REMOTE);
    const chunk = encodeStreamFrame(new Uint8Array(60_000));
    for (let i = 0; i < 400; i++) busy.write(chunk);
    await vi.waitFor(() => expect(busy.isPaused()).toBe(true));
    await vi.waitFor(() => expect(posted.length).toBeGreaterThan(0));
    const ahead = posted.reduce((sum, { length }) => sum + length, 0);
    expect(ahead).toBeLessThan(20 << 20);
    streams.taken(ahead);
    expect(busy.isPaused()).toBe(false);
  });

  it('that break are no error of ours, and are closed when the worker says so', async () => {
    const { streams, said } = streamsOnly();
    const [broken, idle] = [new PassThrough(), new PassThrough()];
    streams.serve(broken, REMOTE);
    streams.serve(idle, REMOTE);
    broken.destroy(new Error('reset by peer'));
    streams.close(2);
    await vi.waitFor(() =>
      expect(said).toEqual(
        expect.arrayContaining([
          ['closed', 1],
          ['closed', 2],
        ]),
      ),
    );
    expect(said).toContain('a relay connection broke: reset by peer');
    streams.send(recordsOf(1, [new Uint8Array(5)])); // to nobody
  });
});

describe('the worker’s side of streams', () => {
  it('drops what is for streams while the main thread is behind', () => {
    const drops = new DropCounts();
    const posted: Uint8Array[] = [];
    const hub = new StreamHub({ drops, now: () => 0, post: (records) => posted.push(records) });
    const frame = new Uint8Array(65_000);
    for (let i = 0; i < 500; i++) {
      hub.deliver(1, frame);
      hub.flush();
    }
    expect(drops.get('streams-congested')).toBeGreaterThan(200);
    hub.taken(posted.reduce((sum, { length }) => sum + length, 0));
    const before = drops.get('streams-congested');
    hub.deliver(1, frame);
    expect(drops.get('streams-congested')).toBe(before);
  });

  it('names streams that have had no session for long', () => {
    let now = 0;
    const hub = new StreamHub({ drops: new DropCounts(), now: () => now, post: () => undefined });
    hub.opened(1, at(1));
    hub.opened(2, at(2));
    now = 14_000;
    expect(hub.idle((stream) => stream === 1)).toEqual([]);
    now = 16_000;
    expect(hub.idle(() => false)).toEqual([2]);
    hub.closed(2);
    now = 30_000;
    expect(hub.idle(() => false)).toEqual([1]);
  });
});
