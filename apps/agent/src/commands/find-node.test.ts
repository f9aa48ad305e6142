import { expect, it } from 'vitest';
import { nearNames } from './find-node.js';

const NAMES = ['laptop', 'phone', 'public-server1', 'public-server2', 'home-server'];

it.each([
  ['phne', ['phone']],
  ['Phone', ['phone']],
  ['public', ['public-server1', 'public-server2']],
  ['public-server3', ['public-server1', 'public-server2']],
  ['server', ['home-server', 'public-server1', 'public-server2']],
  ['lap', ['laptop']],
  ['printer', []],
  ['', []],
  ['x'.repeat(10_000), []],
])('for %s suggests %j', (text, names) => {
  expect(nearNames(text, NAMES)).toEqual(names);
});
