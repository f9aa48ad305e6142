import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeNameFromHostname, parseNodeName } from './index.js';

describe('node names', () => {
  it.each(['a', '7', 'laptop', 'public-server1', 'x'.repeat(63), 'a--b', '3com'])('%j is one', (name) => {
    expect(parseNodeName(name)).toBe(name);
  });

  it.each(['', '-a', 'a-', 'Laptop', 'a.b', 'a_b', 'x'.repeat(64), 'a\n', 'a b', 'ä', 'a\nPostUp = x', '#a'])(
    '%j is none',
    (name) => {
      expect(parseNodeName(name)).toBeUndefined();
    },
  );

  it.each([
    ['Laptop.local', 'laptop'],
    ["Anna's MacBook Pro", 'anna-s-macbook-pro'],
    ['_web_', 'web'],
    [`${'x'.repeat(62)}-y`, 'x'.repeat(62)],
    ['...', undefined],
    ['', undefined],
    ['日本', undefined],
  ])('the host name %j suggests %j', (hostname, name) => {
    expect(nodeNameFromHostname(hostname)).toBe(name);
  });

  it('are suggested only as they may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (hostname) => {
        const name = nodeNameFromHostname(hostname);
        if (name !== undefined) expect(parseNodeName(name)).toBe(name);
      }),
    );
  });
});
