import { publicKeyBytes, toHex } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { describe, expect, it } from 'vitest';
import { isProblem, parseSet } from './parse-set.js';
import { MAX_LINE, RequestReader } from './request-reader.js';

const KEY = 'ab'.repeat(32);
const PEER = `public_key=${KEY}\nremove=true\nupdate_only=true\npreshared_key=${KEY}\nendpoint=[fd00::1]:51820\n`;
const REQUESTS = [
  `set=1\nprivate_key=${KEY}\nlisten_port=51820\nfwmark=1\nreplace_peers=true\n${PEER}\n`,
  `set=1\n${PEER}persistent_keepalive_interval=25\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n\n`,
  'get=1\n\nget=1\n\n',
  `set=1\n\nset=1\nlisten_port=0\n${PEER}\n`,
].map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)));

describe('the UAPI parser fed with garbage', () => {
  it('throws for nothing, and takes only what is in range', { timeout: FUZZ_TIMEOUT }, () => {
    let taken = 0;
    for (const bytes of mutants(REQUESTS)) {
      const reader = new RequestReader();
      for (const request of reader.push(String.fromCharCode(...bytes))) {
        if (request.operation !== 'set') continue;
        const change = parseSet(request.body);
        if (isProblem(change)) continue;
        taken++;
        const { listenPort = 0, fwmark = 0, peers } = change;
        if (!(listenPort <= 65_535 && fwmark <= 0xffff_ffff)) expect.unreachable('a number out of range');
        for (const { publicKey } of peers) if (toHex(publicKeyBytes(publicKey)).length !== 64) expect.unreachable();
      }
    }
    expect(taken).toBeGreaterThan(1_000);
  });

  it('holds no more than one line of a client that sends no line feeds', () => {
    const reader = new RequestReader();
    const problems = Array.from({ length: 1_000 }, () => [...reader.push('x'.repeat(MAX_LINE))]).flat();
    expect(problems).toHaveLength(1);
    expect(reader.inRequest).toBe(false);
  });
});
