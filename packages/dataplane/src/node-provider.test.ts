import { nobleProvider } from '@warren/crypto';
import { cryptoProviderSuite } from '@warren/crypto/suite';
import { describe, expect, it } from 'vitest';
import { chooseProvider, knownAnswerProblem } from './crypto-choice.js';
import { createNodeProvider } from './node-provider.js';

cryptoProviderSuite('node', () => createNodeProvider(nobleProvider));

describe('choice of a crypto provider', () => {
  const right = createNodeProvider(nobleProvider);

  it('takes the first one that computes the known answers', () => {
    expect(knownAnswerProblem(nobleProvider)).toBeUndefined();
    expect(knownAnswerProblem(right)).toBeUndefined();
    expect(chooseProvider([right, nobleProvider], () => undefined)).toBe(right);
  });

  it('passes over one that is wrong, throws or takes forgeries, and says why', () => {
    const warnings: string[] = [];
    const broken = [
      { ...right, name: 'throws', hash: () => expect.fail('not supported') },
      { ...right, name: 'dh', dh: () => new Uint8Array(32) },
      { ...right, name: 'seal', seal: () => undefined },
      { ...right, name: 'forgeries', open: (...args: Parameters<typeof right.open>) => right.open(...args) || true },
    ];
    expect(chooseProvider([...broken, nobleProvider], (message) => warnings.push(message))).toBe(nobleProvider);
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toContain('throws is not used: not supported');
    expect(warnings[3]).toContain('forgeries');
    expect(chooseProvider(broken, () => undefined)).toBeUndefined();
  });
});
