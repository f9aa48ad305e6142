import { type PublicKey, SecretKey } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { REKEY_AFTER_TIME, REKEY_TIMEOUT } from './constants.js';
import { MESSAGE_TYPE } from './handshake/messages.js';
import { connectedHosts, type Host, seededRandom, twoHosts, type World } from './testing/two-devices.js';

const fresh = (seed: number): SecretKey => new SecretKey(seededRandom(seed)(32));
const ownKey = (host: Host): SecretKey => new SecretKey(host.state.local.privateKey);

/** Alice's key becomes another one as an agent does it, up to where she waits for all others to know. */
function beginRotation(world: World, alice: Host, seed = 7): { old: SecretKey; next: SecretKey; before: PublicKey } {
  const [old, next, before] = [ownKey(alice), fresh(seed), alice.publicKey];
  alice.device.setLocalKeys({ privateKey: old, other: next }, world.now);
  alice.device.setLocalKeys({ privateKey: next, other: old, initiateWithOther: true }, world.now);
  return { old, next, before };
}

const learn = (bob: Host, alice: Host, before: PublicKey): void =>
  bob.knows(alice, { formerKey: before, previousKey: before });

function exchange(world: World, alice: Host, bob: Host): void {
  for (const [from, to] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const seen = to.delivered.length;
    const packet = from.send(to);
    world.settle();
    expect(to.delivered.slice(seen)).toEqual([packet]);
  }
}

describe('a device with two static keys of its own', () => {
  it.each(['alice', 'bob'] as const)('goes on with its sessions, and renews them, when %s began', (beginner) => {
    const { world, alice, bob } = twoHosts();
    const first = beginner === 'alice' ? alice : bob;
    first.device.initiateHandshake(first === alice ? bob.publicKey : alice.publicKey, world.now);
    world.settle();
    const { before, next } = beginRotation(world, alice);
    exchange(world, alice, bob);
    learn(bob, alice, before);
    exchange(world, alice, bob);
    world.advance(REKEY_AFTER_TIME + 1000);
    exchange(world, alice, bob);
    alice.device.setLocalKeys({ privateKey: next }, world.now);
    bob.knows(alice);
    for (let minutes = 0; minutes < 5; minutes++) {
      world.advance(60_000);
      exchange(world, alice, bob);
    }
    expect([...alice.dropReasons(), ...bob.dropReasons()]).toEqual([]);
  });

  it('answers initiations to either, also before it is known by the second', () => {
    const { world, alice, bob } = twoHosts();
    const next = fresh(9);
    alice.device.setLocalKeys({ privateKey: ownKey(alice), other: next }, world.now);
    bob.device.initiateHandshake(alice.publicKey, world.now);
    world.settle();
    expect(bob.handshakes()).toBe(1);
    const before = alice.publicKey;
    // Bob is told of the new key before Alice has her answer.
    const later = Object.assign(Object.create(alice) as Host, { device: { publicKey: publicKeyOf(next) } });
    bob.device.setPeer(
      {
        publicKey: later.device.publicKey,
        formerKey: before,
        previousKey: before,
        allowedIps: ['10.0.0.1/32'] as never,
      },
      world.now,
    );
    world.advance(REKEY_TIMEOUT + 1000);
    bob.device.initiateHandshake(later.device.publicKey, world.now);
    world.settle();
    expect(bob.handshakes()).toBe(2);
    expect(alice.dropReasons()).toEqual([]);
  });

  it('begins with the old one, which everybody knows, until a peer shows that it knows the new one', () => {
    const { world, alice, bob } = connectedHosts();
    const { before } = beginRotation(world, alice);
    world.advance(REKEY_TIMEOUT + 1000);
    // Bob has heard of nothing yet.
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    expect(alice.handshakes()).toBe(1);
    learn(bob, alice, before);
    world.advance(REKEY_TIMEOUT + 1000);
    bob.device.initiateHandshake(alice.publicKey, world.now);
    world.settle();
    // Bob forgets the old one: were it still used, Alice's next initiation would fail.
    bob.knows(alice);
    world.advance(REKEY_TIMEOUT + 1000);
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    expect(alice.handshakes()).toBe(3);
    expect(bob.dropReasons()).toEqual([]);
  });

  it('tries the other one when there is no answer: an end that follows a file may know either', () => {
    const { world, alice, bob } = twoHosts();
    beginRotation(world, alice);
    bob.device.removePeer(bob.device.peerOf(alice.address)!);
    bob.knows(alice); // its file has the new key alone
    alice.send(bob);
    world.settle();
    expect(bob.dropReasons()).toEqual(['unknown-peer']);
    world.advance(REKEY_TIMEOUT + 1000);
    expect(bob.delivered).toHaveLength(1);
  });

  it('does not begin with a key that nobody knows yet', () => {
    const { world, alice, bob } = twoHosts();
    alice.device.setLocalKeys({ privateKey: ownKey(alice), other: fresh(3) }, world.now);
    world.filter = ({ to }) => to !== alice;
    alice.send(bob);
    world.advance(30_000);
    expect(world.sent(MESSAGE_TYPE.initiation, alice).length).toBeGreaterThan(3);
    expect(bob.dropReasons()).toEqual([]);
  });

  it('begins again at once with what is left when the key of an unanswered initiation goes', () => {
    const { world, alice, bob } = twoHosts();
    const { next, before } = beginRotation(world, alice);
    learn(bob, alice, before);
    bob.knows(alice); // everybody knows, and Bob hears first that it is over
    alice.send(bob);
    world.settle();
    expect(bob.delivered).toHaveLength(0);
    alice.device.setLocalKeys({ privateKey: next }, world.now);
    world.collect(alice);
    world.settle();
    expect(bob.delivered).toHaveLength(1);
  });

  it('erases a key that is gone, and what was computed from it', () => {
    const { world, alice, bob } = connectedHosts();
    const local = alice.state.local;
    const pair = alice.peer(bob).pairFor(0);
    const shared = pair.staticStatic();
    const { next } = beginRotation(world, alice);
    expect(local.privateKey.some((byte) => byte !== 0)).toBe(true);
    alice.device.setLocalKeys({ privateKey: next }, world.now);
    expect([...local.privateKey, ...shared].every((byte) => byte === 0)).toBe(true);
  });

  it('under load gives cookies for both', () => {
    const { world, alice, bob } = twoHosts();
    const { before } = beginRotation(world, alice);
    learn(bob, alice, before);
    alice.device.setUnderLoad(true);
    bob.send(alice);
    world.advance(REKEY_TIMEOUT + 1000);
    expect(alice.delivered).toHaveLength(1);
    expect(alice.dropReasons()).toEqual(['under-load-cookie-sent']);
  });
});

describe('a peer with two static keys', () => {
  it('is one peer: an initiation that was taken under one key is no good again, and none older is under the other', () => {
    const { world, alice, bob } = connectedHosts();
    const { before } = beginRotation(world, alice);
    world.advance(REKEY_TIMEOUT + 1000);
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    const [initiation] = world.sent(MESSAGE_TYPE.initiation, alice);
    learn(bob, alice, before);
    const { path } = alice;
    expect(bob.receive(initiation!.transmit.datagram, path)).toMatchObject({ reason: 'initiation-timestamp-replayed' });
    bob.knows(alice);
    expect(bob.receive(initiation!.transmit.datagram, path)).toMatchObject({ reason: 'unknown-peer' });
  });

  it('is known by the new one, with its AllowedIPs, its path and its counters', () => {
    const { world, alice, bob } = connectedHosts();
    exchange(world, alice, bob);
    const { before } = beginRotation(world, alice);
    const [old] = [...bob.device.peers()];
    learn(bob, alice, before);
    const [now] = [...bob.device.peers()];
    expect(now).toEqual({ ...old, publicKey: alice.publicKey });
    expect(bob.device.peerOf(alice.address)).toBe(alice.publicKey);
    expect(bob.device.pathOf(before)).toBeUndefined();
  });

  it('loses its sessions at once when its key is replaced and not accepted any more', () => {
    const { world, alice, bob } = connectedHosts();
    exchange(world, alice, bob);
    const thief = { ...world.sent(MESSAGE_TYPE.transport, alice)[0]! };
    const before = alice.publicKey;
    alice.device.setPrivateKey(fresh(5), world.now);
    world.filter = () => false;
    bob.knows(alice, { formerKey: before });
    expect(bob.peer(alice).keypairs.current).toBeUndefined();
    expect(bob.receive(thief.transmit.datagram, alice.path)).toMatchObject({ reason: 'unknown-receiver-index' });
    // Bob had a session, so he begins another, and what he sends meanwhile waits for it.
    const packet = bob.send(alice);
    world.filter = () => true;
    world.advance(REKEY_TIMEOUT + 1000);
    expect(alice.delivered.at(-1)).toEqual(packet);
  });

  it('is a stranger under the old key once that is over', () => {
    const { world, alice, bob } = connectedHosts();
    const { before, old } = beginRotation(world, alice);
    learn(bob, alice, before);
    bob.knows(alice);
    alice.device.setPrivateKey(old, world.now);
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    expect(bob.dropReasons()).toEqual(['unknown-peer']);
  });

  it('leaves a key to the peer that is known by it', () => {
    const { world, alice, bob } = connectedHosts();
    const carol = world.addHost('carol');
    bob.knows(carol);
    bob.knows(alice, { previousKey: carol.publicKey });
    expect(bob.state.remotes.get(carol.publicKey)?.peer).toBe(bob.peer(carol));
    // And the other way round: who comes to be known by it takes it.
    bob.device.removePeer(carol.publicKey);
    bob.knows(alice, { previousKey: carol.publicKey });
    bob.knows(carol);
    expect(bob.state.remotes.get(carol.publicKey)?.peer).toBe(bob.peer(carol));
    expect(bob.peer(alice).remotes).toHaveLength(1);
    exchange(world, alice, bob);
  });
});

function publicKeyOf(key: SecretKey): PublicKey {
  const { alice, world } = twoHosts();
  alice.device.setPrivateKey(key, world.now);
  return alice.publicKey;
}
