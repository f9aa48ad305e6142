import { fromBase64Url, toBase64 } from '@warren/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readFiles } from './import-files.js';

/** A key pair of the platform's, as base64: not of the library that is tested. */
async function keyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = (await crypto.subtle.generateKey('X25519', true, ['deriveBits'])) as CryptoKeyPair;
  const { d = '', x = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  const base64 = (text: string): string => toBase64(fromBase64Url(text) ?? new Uint8Array());
  return { privateKey: base64(d), publicKey: base64(x) };
}

const conf = (name: string, text: string | Uint8Array<ArrayBuffer>): File => new File([text], name);
const PRESHARED = `PresharedKey = ${toBase64(new Uint8Array(32).fill(7))}`;

beforeEach(() => void vi.stubGlobal('window', { isSecureContext: true }));
afterEach(() => void vi.unstubAllGlobals());

describe('files that are picked for an import', () => {
  it('leave without their private key, and with the public one', async () => {
    const { privateKey, publicKey } = await keyPair();
    const text = `[Interface]\nPrivateKey = ${privateKey}\nAddress = 10.1.0.1\n# old ${(await keyPair()).privateKey}\n`;
    const [file] = await readFiles([conf('laptop.conf', text)]);
    expect(file).toMatchObject({ name: 'laptop.conf', hadPrivateKey: true });
    expect(file?.problem).toBeUndefined();
    expect(file?.text).toContain(`# PublicKey = ${publicKey}`);
    expect(JSON.stringify(file)).not.toContain(privateKey);
    expect(file?.text).toContain('# old (removed)');
  });

  it('say that they had none', async () => {
    const [file] = await readFiles([conf('a.conf', `[Interface]\n# PublicKey = ${(await keyPair()).publicKey}\n`)]);
    expect(file).toMatchObject({ hadPrivateKey: false });
  });

  it('are refused with nothing of their text when a key could be in it unseen', async () => {
    const { privateKey } = await keyPair();
    const wide = [...`PrivateKey = ${privateKey}`].flatMap((letter) => [letter.charCodeAt(0), 0]);
    const files = await readFiles([
      conf('wide.conf', new Uint8Array(wide)),
      conf('command.conf', `[Interface]\nPostUp = wg set %i private-key ${privateKey}\n`),
      conf('long.conf', new Uint8Array(1_000_001).fill(97)),
    ]);
    expect(files.map(({ text }) => text)).toEqual(['', '', '']);
    expect(files.map(({ problem }) => problem)).toEqual([
      'is no text in UTF-8: save it as such first',
      expect.stringContaining('line 2: this seems to hold a private key'),
      'is too long to be a wg-quick file',
    ]);
  });

  it('with preshared keys stay here while the page is not encrypted', async () => {
    const text = `[Interface]\nAddress = 10.1.0.1\n\n[Peer]\n${PRESHARED}\n`;
    expect((await readFiles([conf('a.conf', text)]))[0]?.problem).toBeUndefined();
    vi.stubGlobal('window', { isSecureContext: false });
    const [file] = await readFiles([conf('a.conf', text)]);
    expect(file?.problem).toContain('not encrypted');
    expect(file?.text).toBe('');
  });
});
