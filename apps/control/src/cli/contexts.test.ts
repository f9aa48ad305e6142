import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeContexts, checkToken, checkUrl, readContexts } from './contexts.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contexts-test-'));
  path = join(folder, 'warren', 'contexts.json');
});
afterEach(() => rm(folder, { recursive: true }));

const add = (name: string) =>
  changeContexts(path, (before) => ({ ...before, contexts: { ...before.contexts, [name]: { url: 'https://x' } } }));

describe('contexts', () => {
  it('are none before the first one is added', async () => {
    expect(await readContexts(path)).toEqual({ contexts: {} });
  });

  it('are kept where their owner alone can read them, and nothing else stays behind', async () => {
    await add('prod');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'warren'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, 'warren'))).toEqual(['contexts.json']);
  });

  it('are all there when several are added at once', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `c${i}`);
    await Promise.all(names.map(add));
    expect(Object.keys((await readContexts(path)).contexts).sort()).toEqual(names);
  });

  it('stay as they were when a change is refused', async () => {
    await add('prod');
    const before = await readFile(path, 'utf8');
    const refused = changeContexts(path, () => {
      throw new Error('no');
    });
    await expect(refused).rejects.toThrow('no');
    expect(await readFile(path, 'utf8')).toBe(before);
    await add('lab');
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['an array', '[]'],
    ['without contexts', '{}'],
    ['a context without URL', '{"contexts":{"a":{}}}'],
    ['a token that is no text', '{"contexts":{"a":{"url":"https://x","token":7}}}'],
    ['a current one that is no name', '{"current":1,"contexts":{}}'],
  ])('are not read from a file that is not theirs: %s', async (_, text) => {
    await add('prod');
    await writeFile(path, text);
    await expect(readContexts(path)).rejects.toMatchObject({
      code: 'contexts',
      message: expect.stringContaining(path),
    });
    await expect(add('lab')).rejects.toMatchObject({ code: 'contexts' });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('are not read from a file that others can read', async () => {
    await add('prod');
    await chmod(path, 0o644);
    await expect(readContexts(path)).rejects.toThrow(`chmod 600 ${path}`);
  });
});

it('an address is kept without what REST adds to it', () => {
  expect(checkUrl('https://warren.example.org/')).toBe('https://warren.example.org');
  expect(checkUrl('http://10.0.0.1:8080/warren/api/v1')).toBe('http://10.0.0.1:8080/warren');
  for (const text of ['warren.example.org', 'ftp://x', 'https://', 'https://user:pw@x', 'https://x?y', 'https://x#y']) {
    expect(() => checkUrl(text), text).toThrow(/is no URL/);
  }
});

it('an API key is one word, whatever stands around it', () => {
  expect(checkToken(' warrenkey_a_b\n', 'x')).toBe('warrenkey_a_b');
  for (const text of ['', 'two words', 'ü', 'x'.repeat(600)])
    expect(() => checkToken(text, 'stdin')).toThrow(/^stdin must/);
});
