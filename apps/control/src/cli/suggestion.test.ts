import { expect, it } from 'vitest';
import { closest } from './suggestion.js';

const NAMES = ['laptop', 'phone', 'server1', 'server2', 'home-server'];

it.each([
  ['latpop', 'laptop'], // two letters changed places
  ['Phone', 'phone'],
  ['phon', 'phone'],
  ['fone', 'phone'],
  ['server1', 'server1'],
  ['serve', 'server1'],
  ['home', 'home-server'], // the only one that begins so
  ['printer', undefined],
  ['s', undefined],
  ['', undefined],
])('%s means %s', (word, meant) => {
  expect(closest(word, NAMES)).toBe(meant);
});
