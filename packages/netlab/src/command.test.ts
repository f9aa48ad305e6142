import { expect, it } from 'vitest';
import { execute, executeOrThrow } from './command.js';

it('collects what a program prints and how it ends', async () => {
  const result = await execute('sh', ['-c', 'cat; echo two >&2; exit 7'], { input: 'one' });
  expect(result).toEqual({ code: 7, signal: null, stdout: 'one', stderr: 'two\n' });
});

it('says which package a missing program is in', async () => {
  await expect(execute('nsenter-that-is-not-there', [])).rejects.toThrow(/not installed.*util-linux/);
});

it('kills a program that takes too long', async () => {
  await expect(execute('sleep', ['100'], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'command-timeout' });
});

it('throws with the words of a program that fails, when asked to', async () => {
  await expect(executeOrThrow('sh', ['-c', 'echo no such thing >&2; exit 1'])).rejects.toThrow('no such thing');
});
