import { describe, expect, it, vi } from 'vitest';
import type { BulkProgress, BulkTask } from './bulk.js';

vi.stubGlobal('window', { location: { origin: 'http://127.0.0.1' } });
const { runBulk } = await import('./bulk.js');

const tasks = (count: number): BulkTask[] =>
  Array.from({ length: count }, (_, i) => ({ id: `${i}`, name: `node-${i}` }));
const done = { response: new Response('{}') };
const refused = { error: { code: 'name-taken', detail: 'that is taken' }, response: new Response('', { status: 409 }) };
const hasty = () => ({
  error: { code: 'too-many-requests', detail: 'too many' },
  response: new Response('', { status: 429, headers: { 'retry-after': '3' } }),
});

function start(count: number, run: (task: BulkTask) => Promise<{ response: Response }>, signal?: AbortSignal) {
  const progress: BulkProgress[] = [];
  const pauses: number[] = [];
  const end = runBulk({
    ...{ tasks: tasks(count), run, signal: signal ?? new AbortController().signal },
    onProgress: (each) => progress.push(each),
    pause: async (milliseconds) => void pauses.push(milliseconds),
  });
  return { end, progress, pauses };
}

describe('bulk work', () => {
  it('does all, tells how far it is, and goes on where one is refused', async () => {
    const { end, progress } = start(10, async ({ id }) => (id === '3' ? refused : done));
    expect(await end).toEqual({
      ...{ total: 10, done: 10, waiting: false, finished: true },
      failures: [{ id: '3', name: 'node-3', message: 'that is taken' }],
    });
    expect(progress.map((each) => each.done).filter((each) => each > 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
  });

  it('has no more than four requests open, and pauses after each', async () => {
    let open = 0;
    let most = 0;
    const { end, pauses } = start(30, async () => {
      most = Math.max(most, ++open);
      await Promise.resolve();
      open -= 1;
      return done;
    });
    await end;
    expect(most).toBe(4);
    // Four at once that pause for 80 ms are 50 a second at most: a quarter of what is allowed.
    expect(pauses).toEqual(Array.from({ length: 30 }, () => 80));
  });

  it('waits as long as it is told to when it was too hasty, and asks again', async () => {
    let asked = 0;
    const { end, progress, pauses } = start(1, async () => (++asked < 3 ? hasty() : done));
    expect((await end).failures).toEqual([]);
    expect(asked).toBe(3);
    expect(pauses.slice(0, 2)).toEqual([3_000, 3_000]);
    expect(progress.some(({ waiting }) => waiting)).toBe(true);
    expect(progress.at(-1)?.waiting).toBe(false);
  });

  it('gives up on one that is refused for haste again and again', async () => {
    const { end } = start(1, async () => hasty());
    expect((await end).failures).toEqual([{ id: '0', name: 'node-0', message: 'too many' }]);
  });

  it('tells of one that cannot be asked at all', async () => {
    const { end } = start(2, async ({ id }) => (id === '0' ? Promise.reject(new TypeError('failed')) : done));
    expect((await end).failures).toEqual([
      { id: '0', name: 'node-0', message: 'the control plane cannot be reached: check that it runs, then try again' },
    ]);
  });

  it('begins nothing more after it was stopped', async () => {
    const stop = new AbortController();
    const run = async () => {
      stop.abort();
      return done;
    };
    const { end } = start(100, run, stop.signal);
    const { done: count, finished } = await end;
    expect(count).toBeLessThanOrEqual(4);
    expect(finished).toBe(true);
  });
});
