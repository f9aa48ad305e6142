import { closeSync, fstatSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { closeDescriptors, WorkerChannel } from './worker-channel.js';

const opened: WorkerChannel[] = [];
afterEach(async () => {
  for (const channel of opened.splice(0)) await channel.close();
});

/** A channel to a worker whose program is `onMessage`'s body; it sees `port`, `id` and `request`. */
function channelTo(onMessage: string, notices: unknown[] = []): WorkerChannel {
  const program = `
    import { parentPort as port } from 'node:worker_threads';
    port.on('message', ({ id, request }) => { ${onMessage} });`;
  const channel = new WorkerChannel(
    (notice) => notices.push(notice),
    new URL(`data:text/javascript,${encodeURIComponent(program)}`),
  );
  opened.push(channel);
  return channel;
}

const CLOSE = `if (request.type === 'close') { port.postMessage({ type: 'result', id }); port.close(); return; }`;
const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

describe('worker channel', () => {
  it('matches answers to requests, in whatever order they come', async () => {
    const channel = channelTo(`${CLOSE}
      globalThis.waiting ??= [];
      globalThis.waiting.unshift(id);
      if (globalThis.waiting.length === 3) for (const one of globalThis.waiting) port.postMessage({ type: 'result', id: one, result: one });`);
    const results = await Promise.all([1, 2, 3].map(() => channel.request({ type: 'stats' })));
    expect(results).toEqual([1, 2, 3]);
    await channel.close();
    expect(await channel.ended).toBeUndefined();
  });

  it('throws what the worker refused, with its code, and passes notices on', async () => {
    const notices: unknown[] = [];
    const channel = channelTo(
      `${CLOSE}
      port.postMessage({ type: 'log', level: 'info', message: 'hello' });
      port.postMessage({ type: 'failed', id, error: { code: 'port-in-use', message: 'taken' } });`,
      notices,
    );
    await expect(channel.request({ type: 'stats' })).rejects.toMatchObject({ code: 'port-in-use', message: 'taken' });
    expect(notices).toEqual([{ type: 'log', level: 'info', message: 'hello' }]);
  });

  it('ends with a reason, fails what waits and closes the descriptors when the worker dies', async () => {
    const channel = channelTo(`throw new Error('a bug');`);
    const fd = openSync('/dev/null', 'r');
    channel.guard({ tun: fd, sockets: { port: 1, mark: 0, v4: undefined, v6: undefined }, others: [] });
    await expect(channel.request({ type: 'stats' })).rejects.toMatchObject({ code: 'data-plane-closed' });
    expect(await channel.ended).toMatchObject({ code: 'data-plane-failed', message: 'the data plane failed: a bug' });
    expect(isOpen(fd)).toBe(false);
    await expect(channel.request({ type: 'stats' })).rejects.toThrow('the data plane has ended: the data plane failed');
    await channel.close();
  });

  it('leaves the descriptors of a worker that died to who wants them, but for those that only it could use', async () => {
    const channel = channelTo(`throw new Error('a bug');`);
    const [tun, v4, other] = [1, 2, 3].map(() => openSync('/dev/null', 'r')) as [number, number, number];
    const sockets = { port: 1, mark: 0, v4, v6: undefined };
    channel.guard({ tun, sockets, others: [other] });
    const left: unknown[] = [];
    channel.inherit = (descriptors) => left.push(descriptors);
    await expect(channel.request({ type: 'stats' })).rejects.toMatchObject({ code: 'data-plane-closed' });
    await channel.ended;
    expect(left).toEqual([{ tun, sockets, others: [] }]);
    expect([tun, v4, other].map(isOpen)).toEqual([true, true, false]);
    closeDescriptors({ tun, sockets, others: [] });
    expect([tun, v4].map(isOpen)).toEqual([false, false]);
  });

  it('takes the reason from a worker that ends by itself, and leaves its descriptors alone', async () => {
    const fd = openSync('/dev/null', 'r');
    const channel = channelTo(
      `port.postMessage({ type: 'ended', error: { code: 'interface-gone', message: 'gone' } }); port.close();`,
    );
    channel.guard({ tun: fd, sockets: { port: 1, mark: 0, v4: undefined, v6: undefined }, others: [] });
    await expect(channel.request({ type: 'stats' })).rejects.toMatchObject({ code: 'data-plane-closed' });
    expect(await channel.ended).toMatchObject({ code: 'interface-gone' });
    expect(isOpen(fd)).toBe(true);
    closeSync(fd);
  });

  it('closes a worker that no longer answers, and its descriptors', async () => {
    const channel = channelTo('for (;;);');
    const fd = openSync('/dev/null', 'r');
    channel.guard({ tun: fd, sockets: { port: 1, mark: 0, v4: undefined, v6: undefined }, others: [] });
    await channel.close();
    expect(await channel.ended).toBeUndefined();
    expect(isOpen(fd)).toBe(false);
  });
});
