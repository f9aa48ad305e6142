import { expect, it } from 'vitest';
import { tarOf } from './tar.js';

const BLOCK = 512;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, '');

/** A reader of ustar that is not the writer's other half: it believes nothing but offsets (POSIX.1-1988). */
function* entriesOf(archive: Uint8Array): Generator<{ name: string; mode: string; content: Uint8Array }> {
  for (let at = 0; archive[at] !== 0; ) {
    const header = archive.slice(at, at + BLOCK);
    const sum = Number.parseInt(text(header.slice(148, 156)), 8);
    header.fill(0x20, 148, 156);
    expect(header.reduce((total, byte) => total + byte, 0)).toBe(sum);
    expect(text(header.slice(257, 263))).toBe('ustar');
    const size = Number.parseInt(text(header.slice(124, 136)), 8);
    yield {
      name: text(header.slice(0, 100)),
      mode: text(header.slice(100, 108)),
      content: archive.slice(at + BLOCK, at + BLOCK + size),
    };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

it('makes an archive with every file as it was, for its owner only', () => {
  const files = [
    { name: 'office/laptop.conf', text: '[Interface]\nAddress = 10.1.0.1\n' },
    { name: 'office/empty.conf', text: '' },
    { name: 'office/whole.conf', text: 'é'.repeat(256) },
  ];
  const archive = tarOf(files);
  expect(archive.length % BLOCK).toBe(0);
  expect([...archive.slice(-2 * BLOCK)].every((byte) => byte === 0)).toBe(true);
  const read = [...entriesOf(archive)];
  expect(read.map(({ name, content }) => ({ name, text: new TextDecoder().decode(content) }))).toEqual(files);
  expect(new Set(read.map(({ mode }) => mode))).toEqual(new Set(['0000600']));
});
