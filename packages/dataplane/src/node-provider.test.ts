import { nobleProvider } from '@warren/crypto';
import { cryptoProviderSuite } from '@warren/crypto/suite';
import { describe, expect, it } from 'vitest';
import { knownAnswerProblem } from './native-crypto/provider-answers.js';
import { createNodeProvider } from './node-provider.js';

cryptoProviderSuite('node', () => createNodeProvider(nobleProvider));

describe('known answers of a crypto provider', () => {
  const right = createNodeProvider(nobleProvider);

  it('are right for node and noble', () => {
    expect(knownAnswerProblem(nobleProvider)).toBeUndefined();
    expect(knownAnswerProblem(right)).toBeUndefined();
  });

  it('tell what is wrong with one that throws, computes wrongly or takes forgeries', () => {
    expect(knownAnswerProblem({ ...right, hash: () => expect.fail('not supported') })).toContain('not supported');
    expect(knownAnswerProblem({ ...right, dh: () => new Uint8Array(32) })).toBe('X25519 is wrong');
    expect(knownAnswerProblem({ ...right, seal: () => undefined })).toContain('seals wrongly');
    const open: typeof right.open = (...args) => right.open(...args) || true;
    expect(knownAnswerProblem({ ...right, open })).toContain('takes forgeries');
  });
});
