import { describe, expect, test } from 'vitest';
import { NEW_TOKEN, tokenRequest } from './token-fields.js';

describe('the form of a token', () => {
  test('asks for one host within an hour by default', () => {
    const plain = { network: 'default', tags: [], ephemeral: false, approval: false, uses: 1, expires: '1h' };
    expect(tokenRequest('default', NEW_TOKEN)).toEqual({ body: plain });
  });

  test('sends what was chosen', () => {
    const fields = {
      ...NEW_TOKEN,
      ...({ name: ' hall ', role: 'bounce', uses: 'some', count: '12', expires: 'other', otherExpiry: '90m' } as const),
      ...{ tags: 'a, b a', approval: true, ephemeral: true },
    };
    const { body } = tokenRequest('lab', fields) as { body: object };
    expect(body).toEqual({
      ...{ network: 'lab', name: 'hall', role: 'bounce', tags: ['a', 'b'] },
      ...{ ephemeral: true, approval: true, uses: 12, expires: '90m' },
    });
  });

  test('knows tokens without an end', () => {
    const { body } = tokenRequest('lab', { ...NEW_TOKEN, uses: 'any', expires: 'never' }) as { body: object };
    expect(body).toMatchObject({ uses: null, expires: null });
  });

  test.each([
    [{ name: 'x'.repeat(65) }, 'name'],
    [{ uses: 'some' as const, count: '0' }, 'count'],
    [{ uses: 'some' as const, count: '1.5' }, 'count'],
    [{ uses: 'some' as const, count: '' }, 'count'],
    [{ expires: 'other', otherExpiry: 'a week' }, 'otherExpiry'],
    [{ tags: 'Office' }, 'tags'],
    [{ tags: Array.from({ length: 33 }, (_, index) => `t${index}`).join() }, 'tags'],
  ])('says what is wrong with %j', (change, field) => {
    const { faults } = tokenRequest('lab', { ...NEW_TOKEN, ...change }) as { faults: object };
    expect(Object.keys(faults)).toEqual([field]);
  });
});
