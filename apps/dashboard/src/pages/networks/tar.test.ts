import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { tarOf } from './tar.js';

it('makes an archive that tar reads, with every file as it was and for its owner only', () => {
  const files = [
    { name: 'office/laptop.conf', text: '[Interface]\nAddress = 10.1.0.1\n' },
    { name: 'office/empty.conf', text: '' },
    { name: 'office/whole.conf', text: 'é'.repeat(256) },
  ];
  const input = tarOf(files);
  expect(input.length % 512).toBe(0);
  const tar = (...flags: string[]) => execFileSync('tar', flags, { input }).toString();
  expect(tar('-t').trim().split('\n')).toEqual(files.map(({ name }) => name));
  for (const line of tar('-tv').trim().split('\n')) expect(line).toMatch(/^-rw------- /);
  for (const { name, text } of files) expect(tar('-xO', name)).toBe(text);
});
