import type { Endpoint } from '@warren/base';
import { boxesReady, boxPublicKey, precomputeBoxKey, sealBox } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CandidateKind } from './path-manager-api.js';
import { isSealedMessage, openMessage, type SealedMessage, sealMessage, senderOf } from './sealed-message.js';

const at = (text: string) => text as Endpoint;
const transaction = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const relayId = new Uint8Array(8).fill(7);
const secret = new Uint8Array(32).fill(3);
let key: Uint8Array;

beforeAll(async () => {
  await boxesReady;
  key = precomputeBoxKey(boxPublicKey(new Uint8Array(32).fill(4)), secret)!;
});

const sealed = (message: SealedMessage, counter = 2 ** 40 + 5): Uint8Array =>
  sealMessage(key, new Uint8Array(24).fill(9), relayId, counter, message);

const candidates: SealedMessage = {
  type: 'candidates',
  generation: 4_000_000_000,
  answer: true,
  punch: true,
  nat: { mapping: 'address-dependent', filtering: 'none' },
  punchDelay: 513,
  candidates: [
    { kind: 'host', endpoint: at('192.168.1.2:51820') },
    { kind: 'server-reflexive', endpoint: at('[2001:db8::1]:1') },
    { kind: 'predicted', endpoint: at('203.0.113.1:65535') },
  ],
  homes: ['server-1', 'x'],
};

describe('sealed messages', () => {
  it.each<[string, SealedMessage]>([
    ['ping', { type: 'ping', transaction, preferred: false }],
    ['preferred ping', { type: 'ping', transaction, preferred: true }],
    ['pong', { type: 'pong', transaction, seen: at('198.51.100.1:4000') }],
    ['pong by a relay', { type: 'pong', transaction, seen: undefined }],
    ['candidates', candidates],
  ])('%s comes out as it went in', (_, message) => {
    const datagram = sealed(message);
    expect(isSealedMessage(datagram)).toBe(true);
    expect([...senderOf(datagram)]).toEqual([...relayId]);
    expect(openMessage(key, datagram)).toEqual({ counter: 2 ** 40 + 5, message });
  });

  it('a pong is never longer than its ping', () => {
    const ping = sealed({ type: 'ping', transaction, preferred: true }).length;
    for (const seen of [undefined, at('1.2.3.4:5'), at('[2001:db8::1]:65535')]) {
      expect(sealed({ type: 'pong', transaction, seen }).length).toBeLessThanOrEqual(ping);
    }
  });

  it('does not open when a byte is another one, or the key is', () => {
    const datagram = sealed(candidates);
    for (const offset of [12, 40, datagram.length - 1]) {
      const changed = datagram.slice();
      changed[offset]! ^= 1;
      expect(openMessage(key, changed)).toBeUndefined();
    }
    for (const offset of [4, 11]) {
      const renamed = datagram.slice();
      renamed[offset]! ^= 1;
      expect(openMessage(key, renamed)).toBeUndefined();
    }
    const other = precomputeBoxKey(boxPublicKey(new Uint8Array(32).fill(5)), secret)!;
    expect(openMessage(other, datagram)).toBeUndefined();
  });

  it('tells at most 32 candidates and 4 homes, and no peer-reflexive ones', () => {
    const many = Array.from({ length: 60 }, (_, i) => ({
      kind: (i === 3 ? 'peer-reflexive' : 'host') as CandidateKind,
      endpoint: at(`10.0.0.1:${i + 1}`),
    }));
    const homes = ['a', 'b', 'c', 'd', 'e'];
    const opened = openMessage(key, sealed({ ...candidates, candidates: many, homes }))?.message;
    if (opened?.type !== 'candidates') throw new Error('no candidates');
    expect(opened.candidates).toHaveLength(31);
    expect(opened.homes).toEqual(homes.slice(0, 4));
  });

  it('passes over kinds of candidates and NATs that a later version has', () => {
    const nonce = new Uint8Array(24).fill(1);
    const plaintext = Uint8Array.of(
      ...[0x13, 0, 0, 0, 0, 0, 0, 0, 1, ...relayId],
      ...[0, 0, 0, 1, 0, 9, 200, 0, 0, 2],
      ...[99, 4, 0, 1, 10, 0, 0, 1],
      ...[1, 4, 0, 1, 10, 0, 0, 2],
      0,
    );
    const head = sealed(candidates).slice(0, 12);
    const datagram = Uint8Array.of(...head, ...nonce, ...sealBox(key, nonce, plaintext));
    expect(openMessage(key, datagram)?.message).toMatchObject({
      nat: { mapping: 'unknown', filtering: 'unknown' },
      candidates: [{ kind: 'host', endpoint: '10.0.0.2:1' }],
    });
  });
});
