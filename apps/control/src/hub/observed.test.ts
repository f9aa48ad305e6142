import { describe, expect, it } from 'vitest';
import { observedOf } from './observed.js';

describe('what an agent observes', () => {
  it('is prefixes, each once and written in one way', () => {
    const said = { lanClashes: ['10.44.7.9/24', '10.44.7.0/24'], lanPrefixes: ['FD00::/64'] };
    expect(observedOf(said)).toEqual({ lanClashes: ['10.44.7.0/24'], lanPrefixes: ['fd00::/64'] });
  });

  it('is bounded, and what is no prefix is left out', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`);
    const { lanClashes, lanPrefixes } = observedOf({
      lanClashes: ['', 'x'.repeat(1_000_000), '10.0.0.0/99'],
      lanPrefixes: many,
    });
    expect(lanClashes).toEqual([]);
    expect(lanPrefixes).toHaveLength(64);
  });
});
