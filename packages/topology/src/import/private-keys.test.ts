import { publicKeyFromBytes } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { findPrivateKeys, PRIVATE_KEY_PLACEHOLDER, withoutPrivateKeys } from '../index.js';
import { preshared, publicKey, secret } from '../testing/wild-files.js';

const redact = (text: string) =>
  withoutPrivateKeys(text, (key) => publicKeyFromBytes(key.expose().map((byte) => byte + 100)));
const found = (text: string) => findPrivateKeys([{ name: 'a.conf', text }]).map(({ line }) => line);

describe('taking private keys out of a file', () => {
  it('puts the public key in its place, line for line, and keeps all else', () => {
    const text = `[Interface]\n  privatekey=${secret(1)} # mine\nAddress = 10.0.0.1/24\n[Peer]\nPublicKey = ${publicKey(2)}\nPresharedKey = ${preshared(1)}\n`;
    expect(redact(text)).toEqual({
      text: `[Interface]\n# PublicKey = ${publicKey(1)}\nAddress = 10.0.0.1/24\n[Peer]\nPublicKey = ${publicKey(2)}\nPresharedKey = ${preshared(1)}\n`,
      publicKey: publicKey(1),
    });
  });

  it('removes keys from comments, whatever they were', () => {
    const text = `[Interface]\n#PrivateKey = ${secret(3)}\n# old: ${secret(4)}\n## ${secret(5)} and ${secret(6)}\n# PresharedKey = ${preshared(1)}\n`;
    const result = redact(text);
    const sent = 'text' in result ? result.text : '';
    for (const key of [secret(3), secret(4), secret(5), secret(6), preshared(1)]) expect(sent).not.toContain(key);
    expect(sent.split('\n')).toHaveLength(6);
    expect(found(sent)).toEqual([]);
  });

  it('removes keys that stand behind those that belong there', () => {
    const [of, shared] = [`PublicKey = ${publicKey(2)}`, `PresharedKey = ${preshared(1)}`];
    const text = `[Peer]\n${of} # private: ${secret(2)}\n${shared} #${secret(3)}\n# ${of} ${secret(4)}\nMTU = 1400 # ${secret(5)}`;
    expect(found(text)).toEqual([2, 3, 4, 5]);
    const sent = `[Peer]\n${of} # private: (removed)\n${shared} #(removed)\n# ${of} (removed)\nMTU = 1400 # (removed)`;
    expect(redact(text)).toEqual({ text: sent });
    expect(found(sent)).toEqual([]);
  });

  it('stops at a key that is none, and at a command that holds one, and repeats neither', () => {
    for (const [line, why] of [
      [`PrivateKey = ${secret(1).slice(2)}`, 'PrivateKey must be the base64 of 32 bytes'],
      [`PostUp = wg set %i private-key <(echo ${secret(1)})`, 'this seems to hold a private key'],
    ]) {
      const result = redact(`[Interface]\n${line}`);
      expect(result).toMatchObject({ line: 2, message: expect.stringContaining(why!) });
      expect(JSON.stringify(result)).not.toContain(secret(1).slice(2));
    }
  });

  it('lets commands name the public keys of peers, and the placeholder stay', () => {
    const text = `[Interface]\nPrivateKey = ${PRIVATE_KEY_PLACEHOLDER}\nPostUp = wg set %i peer ${publicKey(2)} endpoint a:1\n[Peer]\nPublicKey = ${publicKey(2)}`;
    expect(redact(text)).toEqual({ text });
    expect(found(text)).toEqual([]);
  });
});

describe('finding private keys in what was sent', () => {
  it.each([
    ['a private key', `[Interface]\nPrivateKey = ${secret(1)}`, [2]],
    ['in any case and spelling', `[Interface]\n\tPRIVATEKEY=${secret(1)}#x`, [2]],
    ['in a comment', `# PrivateKey = ${secret(1)}\n[Interface]`, [1]],
    ['half of one', '[Interface]\nPrivateKey = abc', [2]],
    ['with Windows line ends', `\uFEFF[Interface]\r\nPrivateKey = ${secret(1)}\r\n`, [2]],
    ['without a label', `[Interface]\n# ${secret(1)}`, [2]],
    ['in a command', `[Interface]\nPostUp = echo ${secret(1)} > /tmp/x`, [2]],
    ['a command that reads a file', '[Interface]\nPostUp = wg set %i private-key /etc/wireguard/key', []],
    [
      'nothing but public and preshared keys',
      `# PublicKey = ${publicKey(1)}\nPublicKey = ${publicKey(2)}\nPresharedKey = ${preshared(1)}`,
      [],
    ],
  ])('%s', (_, text, lines) => {
    expect(found(text)).toEqual(lines);
  });
});
