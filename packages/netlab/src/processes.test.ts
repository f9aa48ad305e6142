import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { processStartTime, signalProcess } from './processes.js';

it('knows a process by pid and start time, and knows when it has gone', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  await once(child, 'spawn');
  const started = processStartTime(child.pid!);
  expect(started).toMatch(/^\d+$/);
  expect(processStartTime(child.pid!)).toBe(started);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(processStartTime(child.pid!)).toBeUndefined();
});

it('does not mind that a process to be signalled has ended', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(() => signalProcess(child.pid!, 'SIGTERM')).not.toThrow();
});
