import { type IpAddress, isDrop, type Prefix, toHex } from '@warren/base';
import { type CryptoProvider, nobleProvider } from '@warren/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STAGED_PACKETS, REJECT_AFTER_TIME } from './constants.js';
import type { PathId } from './device-api.js';
import { CookieGenerator } from './handshake/cookie.js';
import { COOKIE_REPLY_LENGTH, MESSAGE_TYPE } from './handshake/messages.js';
import { ipPacket } from './testing/packets.js';
import { connectedHosts, type Host, seededRandom, twoHosts, World } from './testing/two-devices.js';

const { initiation: INITIATION, response: RESPONSE, transport: TRANSPORT } = MESSAGE_TYPE;
const ELSEWHERE = 99 as PathId;

/** noble, and a record of every (key, counter) that sealed with and opened a transport message. */
function recordingProvider(): { provider: CryptoProvider; sealed: string[]; opened: string[] } {
  const sealed: string[] = [];
  const opened: string[] = [];
  const provider: CryptoProvider = {
    ...nobleProvider,
    seal(key, counter, plaintext, associatedData, out) {
      if (associatedData.length === 0) sealed.push(`${toHex(key)}/${counter}`);
      nobleProvider.seal(key, counter, plaintext, associatedData, out);
    },
    open(key, counter, sealedBytes, associatedData, out) {
      const result = nobleProvider.open(key, counter, sealedBytes, associatedData, out);
      if (result && associatedData.length === 0) opened.push(`${toHex(key)}/${counter}`);
      return result;
    },
  };
  return { provider, sealed, opened };
}

describe('invariant 1: a (key, counter) pair seals at most once', () => {
  it('through loss, rekeys, simultaneous initiations and roaming', () => {
    const step = fc.record({
      what: fc.constantFrom('alice sends', 'bob sends', 'both initiate', 'alice roams'),
      wait: fc.constantFrom(0, 1, 4_000, 11_000, 65_000, 200_000),
      lost: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
        const { provider, sealed, opened } = recordingProvider();
        const world = new World(provider);
        const [alice, bob] = [world.addHost('alice'), world.addHost('bob')];
        alice.knows(bob);
        bob.knows(alice);
        for (const { what, wait, lost } of steps) {
          world.filter = () => !lost;
          if (what === 'alice sends') alice.send(bob);
          if (what === 'bob sends') bob.send(alice);
          if (what === 'alice roams') alice.path = ((alice.path % 50) + 51) as PathId;
          if (what === 'both initiate') {
            for (const [one, other] of [
              [alice, bob],
              [bob, alice],
            ] as const) {
              one.device.initiateHandshake(other.publicKey, world.now);
            }
          }
          world.advance(wait);
        }
        expect(new Set(sealed).size).toBe(sealed.length);
        expect(new Set(opened).size).toBe(opened.length);
      }),
      { numRuns: 15, seed: 1 },
    );
  });
});

describe('invariant 2: a counter is delivered at most once; the window moves only after authentication', () => {
  it('drops every repetition, old or new, in any session that is still there', () => {
    const { world, alice, bob } = connectedHosts();
    for (let i = 0; i < 20; i++) alice.send(bob);
    world.settle();
    const replayed = world.sent(TRANSPORT, alice).map((flight) => bob.receive(flight.transmit.datagram, alice.path));
    expect(replayed.every((result) => isDrop(result) && result.reason === 'counter-replayed')).toBe(true);
    expect(bob.delivered).toHaveLength(20);
  });

  it('is not moved by a forged counter', () => {
    const { world, alice, bob } = connectedHosts();
    world.filter = () => false;
    alice.send(bob);
    const { datagram } = world.sent(TRANSPORT, alice)[0]!.transmit;
    const forged = datagram.slice();
    new DataView(forged.buffer).setUint32(8, 0x7fff_ffff, true);
    expect(bob.receive(forged, alice.path)).toMatchObject({ reason: 'transport-not-authentic' });
    expect(bob.receive(datagram, alice.path)).toMatchObject({ length: 100 });
  });
});

describe("invariant 3: a packet's inner source address belongs to the peer that sent it", () => {
  it('drops a source that is another peer’s, nobody’s, or covered by a longer prefix of another peer', () => {
    const world = new World();
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.addHost(name)) as [Host, Host, Host];
    bob.knows(alice, { allowedIps: ['10.0.0.0/24' as Prefix] });
    bob.knows(carol, { allowedIps: ['10.0.0.3/32' as Prefix] });
    alice.knows(bob);
    alice.send(bob);
    world.settle();
    bob.delivered.length = 0;
    const sendFrom = (source: string): void => {
      const packet = ipPacket(source as IpAddress, bob.address);
      const out = new Uint8Array(200);
      const sealed = alice.device.sealPacket(packet, out, world.now);
      expect(isDrop(sealed)).toBe(false);
      if (!isDrop(sealed)) bob.receive(out.slice(0, sealed.length), alice.path);
    };
    sendFrom('10.0.0.3');
    sendFrom('192.0.2.1');
    expect(bob.delivered).toEqual([]);
    expect(bob.dropReasons()).toEqual(['inner-source-not-allowed', 'inner-source-not-allowed']);
    sendFrom('10.0.0.77');
    expect(bob.delivered).toHaveLength(1);
  });
});

describe('invariant 4: nothing answers an unauthenticated datagram except a cookie reply under load', () => {
  const strange = (): { datagrams: Uint8Array[]; bob: Host; world: World } => {
    const { world, alice, bob } = twoHosts();
    const mallory = world.addHost('mallory');
    mallory.knows(bob);
    world.filter = () => false;
    for (const host of [mallory, alice]) host.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    const fromStranger = world.sent(INITIATION, mallory)[0]!.transmit.datagram;
    const fromAlice = world.sent(INITIATION, alice)[0]!.transmit.datagram.slice();
    fromAlice[100]! ^= 1; // the sealed timestamp, with mac1 made anew: the sender knows bob's public key
    new CookieGenerator(nobleProvider, bob.state.local.publicKey).addMacs(fromAlice, world.now);
    const garbage = [4, 32, 64, 92, 148, 1500].flatMap((length) =>
      [1, 2, 3, 4, 5].map((type) =>
        seededRandom(length * 10 + type)(length)
          .fill(0, 0, 4)
          .fill(type, 0, 1),
      ),
    );
    world.log.length = 0;
    return { datagrams: [fromStranger, fromAlice, ...garbage], bob, world };
  };

  it('is silent to strangers, forgeries and garbage', () => {
    const { datagrams, bob, world } = strange();
    for (const datagram of datagrams) expect(isDrop(bob.receive(datagram, ELSEWHERE))).toBe(true);
    expect(bob.device.pollTransmit()).toBeUndefined();
    expect(world.log).toEqual([]);
  });

  it('answers only those with a valid mac1 under load, each with one cookie reply, shorter than the question', () => {
    const { datagrams, bob, world } = strange();
    bob.device.setUnderLoad(true);
    world.hosts[2]!.path = ELSEWHERE;
    for (const datagram of datagrams) expect(isDrop(bob.receive(datagram, ELSEWHERE))).toBe(true);
    expect(world.log.map((flight) => flight.transmit.datagram.length)).toEqual([
      COOKIE_REPLY_LENGTH,
      COOKIE_REPLY_LENGTH,
    ]);
  });
});

describe('invariant 5: an endpoint changes only on authenticated packets', () => {
  it('stays for garbage, forgeries and replays from elsewhere, whatever their type', () => {
    const { world, alice, bob } = twoHosts();
    alice.send(bob);
    world.settle();
    bob.send(alice);
    world.settle();
    for (const { to, from, transmit } of [...world.log]) {
      const forged = transmit.datagram.slice();
      forged[forged.length - 1]! ^= 1;
      expect(isDrop(to.receive(forged, ELSEWHERE))).toBe(true);
      expect(isDrop(to.receive(transmit.datagram, ELSEWHERE))).toBe(true);
      expect(to.pathTo(from)).toBe(from.path);
    }
    expect(world.log.map((flight) => flight.transmit.datagram[0])).toEqual([
      INITIATION,
      RESPONSE,
      TRANSPORT,
      TRANSPORT,
    ]);
  });

  it('stays for a cookie reply from elsewhere, which is authentic', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    world.filter = (flight) => flight.from === alice;
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    const [reply] = world.sent(MESSAGE_TYPE.cookieReply, bob);
    expect(alice.receive(reply!.transmit.datagram, ELSEWHERE)).toMatchObject({ length: 0, peer: bob.publicKey });
    expect(alice.pathTo(bob)).toBe(bob.path);
  });

  it.each([INITIATION, RESPONSE, TRANSPORT])('moves with an authentic message of type %d, and says so', (type) => {
    const { world, alice, bob } = twoHosts();
    world.filter = (flight) => flight.transmit.datagram[0] !== type;
    alice.send(bob);
    world.settle();
    const [{ to, from, transmit }] = world.sent(type) as [(typeof world.log)[number]];
    to.receive(transmit.datagram, ELSEWHERE);
    expect(to.pathTo(from)).toBe(ELSEWHERE);
    expect(to.events).toContainEqual({ type: 'path-changed', peer: from.publicKey, path: ELSEWHERE });
  });
});

describe('invariant 6: no keypair is used after REJECT_AFTER_TIME', () => {
  it('neither to seal nor to open, whichever slot it is in', () => {
    const { provider, sealed, opened } = recordingProvider();
    const world = new World(provider);
    const [alice, bob] = [world.addHost('alice'), world.addHost('bob')];
    alice.knows(bob, { persistentKeepalive: 10 });
    bob.knows(alice);
    world.advance(1000);
    alice.device.setPeer({ publicKey: bob.publicKey, allowedIps: ['10.0.0.2/32' as Prefix] }, world.now);
    world.filter = ({ transmit }) => transmit.datagram[0] === TRANSPORT; // no new handshake from here on
    for (let second = 0; second < 400; second++) {
      alice.send(bob);
      bob.send(alice);
      world.advance(1000);
      if (second === REJECT_AFTER_TIME / 1000) {
        sealed.length = 0;
        opened.length = 0;
      }
    }
    expect([sealed, opened]).toEqual([[], []]);
    expect(alice.peer(bob).staged.size).toBeLessThanOrEqual(MAX_STAGED_PACKETS);
  });
});
