import { isDrop } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { describe, expect, it } from 'vitest';
import {
  COOKIE_REFRESH_TIME,
  HANDSHAKE_BURST_PER_SOURCE,
  MAX_HANDSHAKES_PER_SECOND,
  REKEY_TIMEOUT,
} from './constants.js';
import type { PathId } from './device-api.js';
import { CookieGenerator } from './handshake/cookie.js';
import { INITIATION_LENGTH, MESSAGE_TYPE } from './handshake/messages.js';
import { type Host, seededRandom, twoHosts, type World } from './testing/two-devices.js';

const { initiation: INITIATION, cookieReply: COOKIE_REPLY } = MESSAGE_TYPE;

/** An initiation with valid mac1 whose content is noise: what a flood looks like. */
function noise(target: Host, world: World, seed: number): Uint8Array {
  const datagram = seededRandom(seed)(INITIATION_LENGTH);
  datagram.set([INITIATION, 0, 0, 0]);
  new CookieGenerator(nobleProvider, target.state.local.publicKey).addMacs(datagram, world.now);
  return datagram;
}

/** Lets `from` send an initiation to `to` although REKEY_TIMEOUT has not passed. */
function initiateAgain(from: Host, to: Host, world: World): Uint8Array {
  from.peer(to).lastSentHandshake = Number.NEGATIVE_INFINITY;
  world.log.length = 0;
  from.device.initiateHandshake(to.publicKey, world.now);
  world.collect(from);
  return world.log[0]!.transmit.datagram;
}

describe('under load', () => {
  it('a handshake takes a cookie and one repetition more', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    const packet = alice.send(bob);
    world.settle();
    expect(world.sent(COOKIE_REPLY, bob)).toHaveLength(1);
    expect(bob.dropReasons()).toEqual(['under-load-cookie-sent']);
    expect(world.sent(INITIATION)).toHaveLength(1);
    world.advance(REKEY_TIMEOUT + 400);
    expect(bob.delivered).toEqual([packet]);
    expect(world.sent(COOKIE_REPLY, bob)).toHaveLength(1);
  });

  it('a response needs a cookie as well', () => {
    const { world, alice, bob } = twoHosts();
    alice.device.setUnderLoad(true);
    const packet = alice.send(bob);
    world.settle();
    expect(world.sent(COOKIE_REPLY, alice)).toHaveLength(1);
    world.advance(REKEY_TIMEOUT + 400);
    expect(bob.delivered).toEqual([packet]);
  });

  it('a cookie is worth nothing from another address or port', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    initiateAgain(alice, bob, world);
    world.settle();
    world.filter = () => false;
    const datagram = initiateAgain(alice, bob, world);
    expect(bob.receive(datagram, (alice.path + 7) as PathId)).toMatchObject({ reason: 'under-load-cookie-sent' });
    expect(bob.receive(datagram, (alice.path + 256) as PathId)).toMatchObject({ reason: 'under-load-cookie-sent' });
    expect(bob.receive(datagram, alice.path)).toMatchObject({ length: 0, peer: alice.publicKey });
  });

  it('a cookie is used for two minutes, by both sides', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    initiateAgain(alice, bob, world);
    world.settle();
    world.filter = () => false;
    const mac2 = (datagram: Uint8Array): boolean => datagram.subarray(-16).some((byte) => byte !== 0);
    world.now = (world.now + COOKIE_REFRESH_TIME - 1) as typeof world.now;
    const fresh = initiateAgain(alice, bob, world);
    expect(mac2(fresh)).toBe(true);
    world.now = (world.now + 1) as typeof world.now;
    expect(bob.receive(fresh, alice.path)).toMatchObject({ reason: 'under-load-cookie-sent' });
    expect(mac2(initiateAgain(alice, bob, world))).toBe(false);
  });

  it('a cookie reply is taken once, for the last message only, and only if it is authentic', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    world.filter = (flight) => flight.from === alice;
    initiateAgain(alice, bob, world);
    world.settle();
    const reply = world.sent(COOKIE_REPLY, bob)[0]!.transmit.datagram;
    const forged = reply.slice();
    forged[40]! ^= 1;
    expect(alice.receive(forged, bob.path)).toMatchObject({ reason: 'cookie-reply-not-authentic' });
    expect(alice.receive(reply, bob.path)).toMatchObject({ length: 0 });
    expect(alice.receive(reply, bob.path)).toMatchObject({ reason: 'cookie-reply-unexpected' });
    world.filter = () => false;
    initiateAgain(alice, bob, world);
    const stale = reply.slice();
    stale.set(world.log[0]!.transmit.datagram.subarray(4, 8), 4);
    expect(alice.receive(stale, bob.path)).toMatchObject({ reason: 'cookie-reply-not-authentic' });
  });

  it('handshakes of one source are limited, others pass', () => {
    const { world, alice, bob } = twoHosts();
    bob.device.setUnderLoad(true);
    initiateAgain(alice, bob, world);
    world.settle();
    world.filter = () => false;
    const datagram = initiateAgain(alice, bob, world);
    const reasons = Array.from({ length: 20 }, () => {
      const result = bob.receive(datagram, alice.path);
      return isDrop(result) ? result.reason : 'taken';
    });
    expect(reasons[0]).toBe('taken');
    expect(reasons.filter((reason) => reason === 'handshake-rate-limited')).toHaveLength(
      20 - HANDSHAKE_BURST_PER_SOURCE,
    );
  });

  it('established sessions go on', () => {
    const { world, alice, bob } = twoHosts();
    alice.send(bob);
    world.settle();
    bob.device.setUnderLoad(true);
    alice.send(bob);
    bob.send(alice);
    world.settle();
    expect([alice.delivered.length, bob.delivered.length]).toEqual([1, 2]);
  });
});

describe('load', () => {
  it('is seen by the rate of handshake messages, costs no Diffie-Hellman from then on, and is over a second later', () => {
    const { world, alice, bob } = twoHosts();
    let last: unknown;
    for (let i = 0; i <= MAX_HANDSHAKES_PER_SECOND; i++) last = bob.receive(noise(bob, world, i), 50 as PathId);
    expect(last).toMatchObject({ reason: 'under-load-cookie-sent' });
    expect(bob.device.drops().get('handshake-not-authentic')).toBe(MAX_HANDSHAKES_PER_SECOND);
    alice.send(bob);
    world.settle();
    expect(world.sent(COOKIE_REPLY, bob)).toHaveLength(1);
    world.now = (world.now + 1000) as typeof world.now;
    expect(bob.receive(noise(bob, world, 999), 50 as PathId)).toMatchObject({ reason: 'handshake-not-authentic' });
  });

  it('is not made by datagrams without a valid mac1', () => {
    const { world, alice, bob } = twoHosts();
    for (let i = 0; i < 3 * MAX_HANDSHAKES_PER_SECOND; i++) {
      const datagram = noise(bob, world, i);
      datagram[120]! ^= 1;
      bob.receive(datagram, 50 as PathId);
    }
    expect(bob.device.drops().get('mac1-mismatch')).toBe(3 * MAX_HANDSHAKES_PER_SECOND);
    alice.send(bob);
    world.settle();
    expect(bob.delivered).toHaveLength(1);
  });
});
