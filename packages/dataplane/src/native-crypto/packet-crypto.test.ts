import { nobleProvider } from '@warren/crypto';
import { cryptoProviderSuite, memoryAeadSuite } from '@warren/crypto/suite';
import { PacketMemory } from '@warren/udp';
import { describe, expect, it } from 'vitest';
import { packetCipherProblem } from './known-answers.js';
import { bindLibrary } from './library.js';
import { openEvp } from './openssl-evp.js';
import { choosePacketCrypto, PACKET_CRYPTO_NAMES } from './packet-crypto.js';

const PAGES = 8;
const warnings: string[] = [];
const choose = (memory: PacketMemory, only?: readonly string[]) =>
  choosePacketCrypto(memory, (level, message) => void (level === 'warn' && warnings.push(message)), only);

/** What this host has: the libraries of the last two are optional, the rest comes with Node. */
const here = PACKET_CRYPTO_NAMES.filter((name) => choose(new PacketMemory(PAGES), [name]) !== undefined);

for (const name of here) {
  const memory = new PacketMemory(PAGES);
  const crypto = choose(memory, [name])!;
  const offset = memory.allocate(32_768);
  cryptoProviderSuite(name, () => crypto.provider);
  memoryAeadSuite(name, () => ({ aead: crypto.aead, offset }));

  describe(`crypto provider ${name}`, () => {
    it('seals and opens in packet memory what it seals and opens elsewhere', () => {
      const text = Uint8Array.from({ length: 1420 }, (_, i) => i & 0xff);
      const key = text.subarray(0, 32);
      const elsewhere = new Uint8Array(1436);
      crypto.provider.seal(key, 3, text, new Uint8Array(0), elsewhere);
      const inside = memory.bytes.subarray(offset, offset + 1436);
      inside.set(text);
      crypto.provider.seal(key, 3, inside.subarray(0, 1420), new Uint8Array(0), inside);
      expect(inside).toEqual(elsewhere);
      expect(crypto.provider.open(key, 3, inside, new Uint8Array(0), inside)).toBe(true);
      expect(inside.subarray(0, 1420)).toEqual(text);
    });
  });
}

describe('choice of a packet cipher', () => {
  it('finds OpenSSL in the node binary, low-level calls first', () => {
    expect(here.slice(0, 2)).toEqual(['openssl-low', 'openssl-evp']);
    expect(here.slice(-2)).toEqual(['node', 'noble']);
    expect(choose(new PacketMemory(PAGES))!.provider.name).toBe('openssl-low');
    expect(warnings).toEqual([]);
  });

  it('takes none that is not asked for, and says nothing of it', () => {
    expect(choose(new PacketMemory(PAGES), [])).toBeUndefined();
    expect(choose(new PacketMemory(PAGES), ['noble'])!.aead.name).toBe('noble');
  });

  it('sees every way to be wrong by the known answers', () => {
    const memory = new PacketMemory(PAGES);
    const right = openEvp('right', bindLibrary(), memory);
    const aead = (changes: Partial<typeof right>) =>
      packetCipherProblem(Object.assign(Object.create(right), bound(right), changes), memory, nobleProvider);
    expect(aead({})).toBeUndefined();
    expect(aead({ seal: () => undefined })).toBe('seals 0 bytes wrongly');
    expect(aead({ open: () => false })).toBe('does not open 0 bytes');
    expect(aead({ open: () => true })).toBe('takes forgeries');
    expect(aead({ seal: () => expect.fail('no such symbol') })).toContain('no such symbol');
    const wrongCounter: typeof right.seal = (key, counter, ...rest) => right.seal(key, counter % 2 ** 32, ...rest);
    expect(aead({ seal: wrongCounter })).toBe('seals 0 bytes wrongly');
  });
});

function bound(aead: ReturnType<typeof openEvp>): Partial<ReturnType<typeof openEvp>> {
  return {
    seal: aead.seal.bind(aead),
    open: aead.open.bind(aead),
    forget: aead.forget.bind(aead),
  };
}
