import { concatBytes, type Endpoint } from '@warren/base';
import { boxesReady, boxPublicKey, precomputeBoxKey } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Candidate, NatKind, Way } from './path-manager-api.js';
import { type SealedMessage, sealMessage } from './sealed-message.js';
import type { FakeHost } from './testing/fake-host.js';
import { FakeNetwork } from './testing/fake-network.js';
import { FakeServer } from './testing/fake-server.js';

const SERVER = '203.0.113.1:3478' as Endpoint;
const BEHIND: NatKind = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' };
const VICTIM = '192.0.2.66';
const from = (endpoint: string): Way => ({ kind: 'udp', socket: 0, endpoint: endpoint as Endpoint });

beforeAll(() => boxesReady);

/** Two hosts without NATs that know each other, and no direct path yet. */
function pair(options: Parameters<FakeNetwork['add']>[2] = {}) {
  const network = new FakeNetwork([new FakeServer('s1', SERVER)]);
  const alice = network.add('198.51.100.11', undefined, options);
  const bob = network.add('198.51.100.12');
  for (const host of [alice, bob]) network.start(host);
  network.introduce(alice, bob);
  network.pass(200);
  return { network, alice, bob };
}

/** Bob's own program says what it likes: seals messages that Alice takes. */
function forger(alice: FakeHost, bob: FakeHost): (message: SealedMessage) => Uint8Array {
  const pathKey = (host: FakeHost) => new Uint8Array(32).fill(host.number + 1);
  const key = precomputeBoxKey(boxPublicKey(pathKey(alice)), pathKey(bob))!;
  let counter = 2 ** 51;
  return (message) => sealMessage(key, new Uint8Array(24).fill(++counter % 251), bob.relayId, counter, message);
}

function candidatesOf(generation: number, candidates: readonly Candidate[], nat: NatKind): SealedMessage {
  const flags = { answer: false, punch: true };
  return { type: 'candidates', generation, ...flags, nat, punchDelay: 0, candidates, homes: [] };
}

/** What the manager wants sent, by where it goes. */
function transmitsOf({ manager }: FakeHost): { readonly to: string; readonly bytes: Uint8Array }[] {
  const transmits = [];
  for (let out = manager.pollTransmit(); out; out = manager.pollTransmit()) {
    transmits.push({ to: out.way.kind === 'udp' ? out.way.endpoint : out.way.server, bytes: out.datagram });
  }
  return transmits;
}

describe('an attacker on the way', () => {
  it('cannot send our own messages back to us under the name of the peer', () => {
    const { network, alice, bob } = pair();
    const sealed: Uint8Array[] = [];
    network.cut = () => true;
    const transmit = network.transmit.bind(network);
    network.transmit = (host, out) => {
      const { datagram } = out;
      const content = datagram[0] === 0xa8 ? datagram.slice(20) : datagram.slice();
      if (host === alice && content[0] === 0xb0) sealed.push(content);
      transmit(host, out);
    };
    for (let i = 0; i < 20; i++) {
      alice.send(bob);
      network.pass(50);
    }
    expect(sealed.length).toBeGreaterThan(2);
    for (const own of sealed) {
      const reflected = concatBytes(own.subarray(0, 4), bob.relayId, own.subarray(12));
      alice.manager.handleDatagram(reflected, from(`${VICTIM}:6`), network.now);
    }
    expect(transmitsOf(alice).filter(({ to }) => to.startsWith(VICTIM))).toEqual([]);
    const report = alice.manager.report(bob.publicKey, network.now)!;
    expect(report.candidates).toEqual([]);
  });
});

describe('somebody who writes the name of a peer on his datagrams', () => {
  it('does not keep us from hearing the peer by a server', () => {
    const { network, alice, bob } = pair();
    const forge = forger(alice, bob);
    const forged = forge({ type: 'ping', transaction: new Uint8Array(8), preferred: false }).fill(0, 40);
    for (let i = 0; i < 2_000; i++) alice.manager.handleDatagram(forged, from(`${VICTIM}:6`), network.now);
    const message = candidatesOf(4_000_000_000, [], BEHIND);
    alice.manager.handleDelivered(forge(message), bob.relayId, from(SERVER), network.now);
    expect(alice.manager.report(bob.publicKey, network.now)?.remoteNat).toEqual(BEHIND);
  });
});

describe('a malicious member', () => {
  /** Bytes with their headers that a minute of messages makes Alice send to addresses that Bob only names. */
  function sprayed(alice: FakeHost, network: FakeNetwork, seal: () => Uint8Array, everyMs: number): number {
    let bytes = 0;
    for (let passed = 0; passed < 60_000; passed += everyMs) {
      alice.manager.handleDatagram(seal(), from('198.51.100.12:51820'), network.now);
      for (let step = 0; step < everyMs; step += 10) {
        network.now = (network.now + 10) as typeof network.now;
        alice.manager.handleTimeout(network.now);
        for (const out of transmitsOf(alice)) if (out.to.startsWith(VICTIM)) bytes += out.bytes.length + 28;
      }
    }
    return bytes;
  }

  it('cannot make others flood an address by naming ever new ports of it', () => {
    const { network, alice, bob } = pair();
    const forge = forger(alice, bob);
    let [generation, port] = [4_000_000_000, 1_024];
    const seal = () => {
      const candidates = Array.from({ length: 32 }, (): Candidate => {
        port = port >= 65_000 ? 1_024 : port + 1;
        return { kind: 'host', endpoint: `${VICTIM}:${port}` as Endpoint };
      });
      return forge(candidatesOf(generation++, candidates, { mapping: 'unknown', filtering: 'unknown' }));
    };
    const bytes = sprayed(alice, network, seal, 10);
    expect(bytes).toBeGreaterThan(1_000); // it is probed
    expect(bytes).toBeLessThan(1_000_000); // 130 kbit/s on average, whatever the other says
  });

  it('cannot make others guess ports of an address for ever', () => {
    const { network, alice, bob } = pair({ predictPorts: true });
    alice.manager.setNat({ mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' }, network.now);
    const forge = forger(alice, bob);
    let generation = 4_000_000_000;
    const seal = () =>
      forge(candidatesOf(generation++, [{ kind: 'server-reflexive', endpoint: `${VICTIM}:4000` as Endpoint }], BEHIND));
    const bytes = sprayed(alice, network, seal, 100);
    expect(bytes).toBeGreaterThan(200_000); // one whole attempt
    expect(bytes).toBeLessThan(1_000_000);
  });

  it('cannot lead the tunnel through itself, neither by naming its inner address nor by sending from there', () => {
    const { network, alice, bob } = pair({ isInside: (address) => address.startsWith('10.44.') });
    const forge = forger(alice, bob);
    const named: Candidate = { kind: 'host', endpoint: '10.44.0.2:51820' as Endpoint };
    const message = candidatesOf(4_000_000_000, [named], { mapping: 'unknown', filtering: 'unknown' });
    alice.manager.handleDatagram(forge(message), from('198.51.100.12:51820'), network.now);
    const ping: SealedMessage = { type: 'ping', transaction: new Uint8Array(8), preferred: true };
    alice.manager.handleDatagram(forge(ping), from(named.endpoint), network.now);
    alice.manager.noteReceived(alice.manager.udpPath(bob.publicKey, 0, named.endpoint), network.now);
    network.now = (network.now + 10) as typeof network.now;
    alice.manager.handleTimeout(network.now);
    expect(transmitsOf(alice).filter(({ to }) => to === named.endpoint)).toHaveLength(1); // the pong
    const { candidates } = alice.manager.report(bob.publicKey, network.now)!;
    expect(candidates.map(({ endpoint }) => endpoint)).toEqual(['198.51.100.12:51820']);
  });

  it('cannot have addresses probed that are no host of the internet or a LAN', () => {
    const { network, alice, bob } = pair();
    const own = ['198.51.100.11:51820', '[2001:db8::1]:51820'].map(
      (endpoint) => ({ kind: 'host', endpoint }) as Candidate,
    );
    alice.manager.setLocalCandidates(own, network.now);
    const bad = ['169.254.169.254:80', '127.0.0.1:53', '0.0.0.0:9', '224.0.0.1:9', '255.255.255.255:9', '240.0.0.1:9'];
    const bad6 = ['[::1]:9', '[fe80::1]:9', '[ff02::1]:9', '[::ffff:127.0.0.1]:9', '[::7f00:1]:9', '[::]:9'];
    const named = [...bad, ...bad6].map((endpoint): Candidate => ({ kind: 'host', endpoint: endpoint as Endpoint }));
    const message = candidatesOf(4_000_000_000, named, { mapping: 'unknown', filtering: 'unknown' });
    alice.manager.handleDatagram(forger(alice, bob)(message), from('198.51.100.12:51820'), network.now);
    network.now = (network.now + 10) as typeof network.now;
    alice.manager.handleTimeout(network.now);
    const to = transmitsOf(alice).map((out) => out.to);
    expect(to.filter((endpoint) => endpoint !== '198.51.100.12:51820' && endpoint !== SERVER)).toEqual([]);
  });
});
