import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Cleanup } from '../testing/run.js';
import { makePrivateFolder, readFileIfThere, readJsonIfThere, removeFile, writeFileAtomically } from './atomic-file.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('a private folder', () => {
  it('is made with those above it, once, and for the owner only', async () => {
    const path = join(await cleanup.folder(), 'a', 'b');
    expect(await makePrivateFolder(path)).toBe(true);
    expect(await makePrivateFolder(path)).toBe(false);
    for (const one of [path, join(path, '..')]) expect((await stat(one)).mode & 0o777).toBe(0o700);
  });

  it('that no file system takes is refused rather than tried for ever', async () => {
    await expect(makePrivateFolder('/proc/warren/state')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('an atomic write', () => {
  it('replaces the content, leaves nothing beside it, and is readable by the owner only', async () => {
    const folder = await cleanup.folder();
    const path = join(folder, 'file');
    await writeFileAtomically(path, 'one');
    await writeFileAtomically(path, Buffer.from('two'));
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['file']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is seen whole by whoever reads meanwhile', async () => {
    const path = join(await cleanup.folder(), 'file');
    const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000));
    await writeFileAtomically(path, contents[0]!);
    const writes = contents
      .flatMap((content) => [content, content])
      .map((content) => writeFileAtomically(path, content));
    const seen = new Set<string>();
    let writing = true;
    const all = Promise.all(writes).finally(() => {
      writing = false;
    });
    while (writing) seen.add(await readFile(path, 'utf8'));
    await all;
    for (const content of seen) expect(contents).toContain(content);
  });

  it('that fails leaves the old content and no temporary file', async () => {
    const folder = await cleanup.folder();
    const path = join(folder, 'file');
    await mkdir(path);
    await writeFile(join(path, 'inside'), 'old');
    await expect(writeFileAtomically(path, 'new')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['file']);
    expect(await readFile(join(path, 'inside'), 'utf8')).toBe('old');
  });
});

describe('reading', () => {
  it('gives undefined for a file that is not there, and for JSON that is none', async () => {
    const path = join(await cleanup.folder(), 'file');
    expect(await readFileIfThere(path)).toBeUndefined();
    expect(await readJsonIfThere(path)).toBeUndefined();
    for (const text of ['', '{"half":', '17', 'null']) {
      await writeFile(path, text);
      expect(await readJsonIfThere(path)).toBeUndefined();
    }
    await writeFile(path, '{"a":1}');
    expect(await readJsonIfThere(path)).toEqual({ a: 1 });
    await removeFile(path);
    await removeFile(path);
  });
});
