import { concatBytes, type Endpoint, toHex } from '@warren/base';
import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { boxesReady, boxPublicKey, precomputeBoxKey, sealBox } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Way } from './path-manager-api.js';
import { openMessage } from './sealed-message.js';
import type { FakeHost } from './testing/fake-host.js';
import { FakeNetwork } from './testing/fake-network.js';
import { FakeServer } from './testing/fake-server.js';

beforeAll(() => boxesReady);

/** What a manager got from a short conversation: real datagrams to change. */
function conversation(): { bob: FakeHost; network: FakeNetwork; heard: Uint8Array[] } {
  const network = new FakeNetwork([new FakeServer('s1', '203.0.113.1:3478' as Endpoint)]);
  const [alice, bob] = [network.add('198.51.100.1'), network.add('198.51.100.2')];
  const heard = new Map<string, Uint8Array>();
  const receive = bob.receive.bind(bob);
  bob.receive = (bytes, from, peers) => {
    heard.set(`${bytes[0]} ${bytes.length} ${heard.size % 40}`, bytes);
    receive(bytes, from, peers);
  };
  for (const host of [alice, bob]) network.start(host);
  network.introduce(alice, bob);
  network.pass(200);
  for (let i = 0; i < 30; i++) {
    alice.send(bob);
    network.pass(50);
  }
  return { bob, network, heard: [...heard.values()] };
}

describe('a manager fed with garbage', () => {
  it('does not throw, grow, answer or move', { timeout: FUZZ_TIMEOUT }, () => {
    const { bob, network, heard } = conversation();
    const path = bob.paths.get(network.hosts[0]!.publicKey)?.path;
    const ways: Way[] = [
      { kind: 'udp', socket: 0, endpoint: '203.0.113.1:3478' as Endpoint },
      { kind: 'udp', socket: 0, endpoint: '192.0.2.66:6' as Endpoint },
      { kind: 'tls', server: 's1' },
    ];
    const { manager } = bob;
    const right = new Set(heard.map(toHex));
    let run = 0;
    let sent = 0;
    let told = 0;
    for (const bytes of mutants(heard)) {
      // Those that were changed in a part that is not sealed are replays, or of a session: nothing may come of them either.
      if (right.has(toHex(bytes))) continue;
      const from = ways[run++ % ways.length]!;
      const relayed = manager.relayPathOf(bytes, from);
      if (relayed) manager.handleDelivered(bytes.subarray(20), bytes.subarray(12, 20), from, network.now);
      else manager.handleDatagram(bytes, from, network.now);
      while (manager.pollTransmit()) sent++;
      while (manager.pollEvent()) told++;
    }
    expect(bob.paths.get(network.hosts[0]!.publicKey)?.path).toBe(path);
    expect([sent < 200, told < 200], `${sent} datagrams, ${told} events`).toEqual([true, true]);
    const report = manager.report(network.hosts[0]!.publicKey, network.now)!;
    expect(report.candidates.some(({ endpoint }) => endpoint === '192.0.2.66:6')).toBe(false);
  });

  it('opens boxes with any plaintext without throwing', { timeout: FUZZ_TIMEOUT }, () => {
    const key = precomputeBoxKey(boxPublicKey(new Uint8Array(32).fill(4)), new Uint8Array(32).fill(3))!;
    const nonce = new Uint8Array(24).fill(1);
    const head = concatBytes(Uint8Array.of(0xb0, 0, 0, 0), new Uint8Array(8), nonce);
    const counter = [0, 0, 0, 1, 0, 0, 0, 0, ...new Array<number>(8).fill(0)]; // and the sender
    const right = [
      Uint8Array.of(0x11, ...counter, ...new Array<number>(27).fill(1)),
      Uint8Array.of(0x12, ...counter, 1, 2, 3, 4, 5, 6, 7, 8, 4, 1, 1, 10, 0, 0, 1),
      Uint8Array.of(0x13, ...counter, 0, 0, 0, 1, 3, 1, 2, 0, 9, 1, 1, 4, 1, 1, 10, 0, 0, 1, 1, 2, 97, 98),
    ];
    const taken = new Map<string, number>();
    for (const plaintext of mutants(right)) {
      const type = openMessage(key, concatBytes(head, sealBox(key, nonce, plaintext)))?.message.type;
      if (type) taken.set(type, (taken.get(type) ?? 0) + 1);
    }
    for (const type of ['ping', 'pong', 'candidates']) expect(taken.get(type), type).toBeGreaterThan(100);
  });
});
