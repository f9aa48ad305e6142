import { closeSync, fstatSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { SupervisedWorker } from './supervised-worker.js';
import type { Descriptors, WorkerRequest } from './worker-messages.js';

// Answers `stats` with how often it was asked; dies of `initiate-handshake`.
const PROGRAM = `
  import { parentPort as port } from 'node:worker_threads';
  let asked = 0;
  port.on('message', ({ id, request }) => {
    if (request.type === 'initiate-handshake') throw new Error('a bug');
    port.postMessage({ type: 'result', id, result: request.type === 'stats' ? ++asked : undefined });
    if (request.type === 'close') port.close();
  });`;
const opened: SupervisedWorker[] = [];
afterEach(async () => {
  for (const worker of opened.splice(0)) await worker.close();
});

type Asked = Extract<WorkerRequest, { type: 'stats' | 'initiate-handshake' }>;

const stats = () => ({ request: { type: 'stats' } }) as const;
const crash = () => ({ request: { type: 'initiate-handshake', peer: '' as never } }) as const;

function setUp() {
  const tun = openSync('/dev/null', 'r');
  const descriptors: Descriptors = { tun, sockets: { port: 1, mark: 0, v4: undefined, v6: undefined }, others: [] };
  const restored: Descriptors[] = [];
  const logged: string[] = [];
  const worker = new SupervisedWorker({
    entry: new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`),
    onNotice: () => undefined,
    log: (level, message) => logged.push(`${level} ${message}`),
    restore: async (channel, left) => {
      restored.push(left);
      await channel.request({ type: 'stats' });
    },
  });
  worker.guard(descriptors);
  opened.push(worker);
  const isOpen = (): boolean => {
    try {
      fstatSync(tun);
      return true;
    } catch {
      return false;
    }
  };
  return { worker, descriptors, restored, logged, isOpen };
}

describe('a supervised worker', () => {
  it('is replaced when it crashes; the descriptors go on, and requests wait for the new one', async () => {
    const { worker, descriptors, restored, logged, isOpen } = setUp();
    worker.supervise();
    expect(await worker.request(stats)).toBe(1);
    let made = 0;
    const crashOnce = () => (made++ === 0 ? crash() : stats());
    const answers = await Promise.all([worker.request<Asked>(crashOnce), worker.request(stats)]);
    // Whoever restores asks first.
    expect(answers).toEqual([2, 3]);
    expect(made).toBe(2);
    expect(restored).toEqual([descriptors]);
    expect(isOpen()).toBe(true);
    expect(logged).toEqual([
      'error the data plane failed: a bug; starting its worker anew',
      expect.stringMatching(/^warn a new worker has taken over after \d+ ms$/),
    ]);
    closeSync(descriptors.tun); // a worker of the test does not know that it has it
  });

  it('is not replaced before it was started for good', async () => {
    const { worker, restored, isOpen } = setUp();
    await expect(worker.request(crash)).rejects.toMatchObject({ code: 'data-plane-closed' });
    expect(await worker.ended).toMatchObject({ code: 'data-plane-failed' });
    expect(restored).toEqual([]);
    expect(isOpen()).toBe(false);
  });

  it('is given up after some crashes in a row, with the reason', async () => {
    const { worker, restored, isOpen } = setUp();
    worker.supervise();
    // Each kills the worker and the one that takes over.
    for (let i = 0; i < 3; i++)
      await expect(worker.request(crash)).rejects.toMatchObject({ code: 'data-plane-closed' });
    expect(await worker.ended).toMatchObject({ code: 'data-plane-failed', message: 'the data plane failed: a bug' });
    expect(restored).toHaveLength(5);
    expect(isOpen()).toBe(false);
    await expect(worker.request(stats)).rejects.toMatchObject({ code: 'data-plane-closed' });
  });
});
