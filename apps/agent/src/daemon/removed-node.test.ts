import { afterEach, expect, it } from 'vitest';
import { exitCodeOf } from '../errors.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('a daemon ends with expired and 3 when its node was removed, and a new token joins as if it never had', async () => {
  const control = await FakeControl.start();
  cleanup.add(() => control.kill());
  const stateDir = await cleanup.folder();
  const planes = fakeDataPlanes();
  const start = async (): Promise<Daemon> => {
    const daemon = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: planes.start });
    cleanup.add(() => daemon.stop());
    await until('connection', async () => (await daemon.status()).state === 'running');
    return daemon;
  };
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--no-start', '--state-dir', stateDir];
  const join = (id: string) => runAgent(['join', '--token', control.token({ id }), ...place]);
  expect(await join('first')).toMatchObject({ code: 0 });
  const daemon = await start();
  control.farewell('node-removed');
  const end = await daemon.ended;
  expect([end?.state, end?.error.message, exitCodeOf(end?.error)]).toEqual(['expired', 'said node-removed', 3]);
  expect(planes.planes.at(-1)!.isClosed).toBe(true);
  const status = await runAgent(['status', '--json', '--state-dir', stateDir]);
  expect(status.code).toBe(1);
  expect(JSON.parse(status.out)).toMatchObject({ state: 'expired', message: 'said node-removed' });
  const refused = await start().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'node-removed', message: 'network test: said node-removed' });
  expect(exitCodeOf(refused)).toBe(3);

  control.uses = 2;
  expect(await join('second')).toMatchObject({ code: 0 });
  expect(new Set(control.nodes.map(({ nodeId }) => nodeId)).size).toBe(2);
  await start();
});
