import { toBase64 } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { createKeyPair } from '../../shell/device/device-key.js';
import { readOwnKey } from './own-key.js';

describe('a private key that is typed', () => {
  it('is taken when it is the one of the member, or when the member has none yet', async () => {
    const { privateKey, publicKey } = await createKeyPair();
    const text = toBase64(privateKey.expose());
    expect((await readOwnKey(` ${text}\n`, publicKey)).key?.expose()).toEqual(privateKey.expose());
    expect((await readOwnKey(text, null)).key).toBeDefined();
  });

  it('is refused when it is the one of another, and says whose it is without the key itself', async () => {
    const [one, other] = [await createKeyPair(), await createKeyPair()];
    const text = toBase64(one.privateKey.expose());
    const { key, problem } = await readOwnKey(text, other.publicKey);
    expect(key).toBeUndefined();
    expect(problem).toContain(one.publicKey);
    expect(problem).not.toContain(text);
  });

  it.each(['x', 'AAAA', '='.repeat(44)])('is refused when it is none: %j', async (text) => {
    expect(await readOwnKey(text, null)).toEqual({ key: undefined, problem: expect.stringContaining('44 characters') });
  });

  it('is nothing while nothing is typed', async () => {
    expect(await readOwnKey('  ', 'k')).toEqual({ key: undefined, problem: undefined });
  });
});
