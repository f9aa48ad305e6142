import { publicKeyFromBytes, toBase64 } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { describe, expect, it } from 'vitest';
import { isWgQuickProblem, parseWgQuick, renderWgQuick } from './index.js';

const KEY = publicKeyFromBytes(new Uint8Array(32).fill(1));
const FILES = [
  `[Interface]\n# Name = laptop\nAddress = 10.44.0.4/16, fd44::4/64\nPrivateKey = ${toBase64(new Uint8Array(32))}\nMTU = 1400\n`,
  `[Interface]\nTable = off\nFwMark = 0x1\nPostUp = echo %i\n[Peer]\nPublicKey = ${KEY}\nAllowedIPs = ::/0\n`,
  `[Interface]\n[Peer]\nPublicKey = ${KEY}\nEndpoint = [fd00::1]:51820\nPersistentKeepalive = off\n`,
];

describe('the parser of wg-quick files fed with garbage', () => {
  it('throws for nothing, and writes what it took so that it reads the same', { timeout: FUZZ_TIMEOUT }, () => {
    let taken = 0;
    for (const bytes of mutants(FILES.map((file) => Uint8Array.from(file, (c) => c.charCodeAt(0))))) {
      const conf = parseWgQuick(String.fromCharCode(...bytes));
      if (isWgQuickProblem(conf)) continue;
      taken++;
      const text = renderWgQuick(conf);
      const again = parseWgQuick(text);
      if (isWgQuickProblem(again) || renderWgQuick(again) !== text) expect.unreachable(`not stable: ${text}`);
    }
    expect(taken).toBeGreaterThan(1000);
  });
});
