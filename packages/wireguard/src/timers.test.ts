import { isDrop } from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  KEEPALIVE_TIMEOUT,
  REJECT_AFTER_MESSAGES,
  REJECT_AFTER_TIME,
  REKEY_AFTER_MESSAGES,
  REKEY_AFTER_TIME,
  REKEY_ATTEMPT_TIME,
  REKEY_TIMEOUT,
  REKEY_TIMEOUT_JITTER,
} from './constants.js';
import { MESSAGE_TYPE } from './handshake/messages.js';
import { connectedHosts, twoHosts } from './testing/two-devices.js';

const { initiation: INITIATION, transport: TRANSPORT } = MESSAGE_TYPE;
const KEEPALIVE_LENGTH = 32;

describe('REKEY_AFTER_TIME', () => {
  it('makes the initiator start a new handshake when it sends, not before', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REKEY_AFTER_TIME - 1);
    alice.send(bob);
    expect(world.sent(INITIATION)).toHaveLength(0);
    world.advance(1);
    alice.send(bob);
    expect(world.sent(INITIATION, alice)).toHaveLength(1);
  });

  it('does not make the responder do so', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REKEY_AFTER_TIME + 1);
    bob.send(alice);
    expect(world.sent(INITIATION)).toHaveLength(0);
  });

  it('seals with the old session until the new one is there', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REKEY_AFTER_TIME);
    alice.send(bob);
    expect(world.sent(TRANSPORT, alice)).toHaveLength(1);
    world.settle();
    expect(bob.delivered).toHaveLength(1);
  });
});

describe('REKEY_AFTER_MESSAGES', () => {
  it.each(['initiator', 'responder'] as const)('makes the %s start a new handshake', (role) => {
    const { alice, bob, world } = connectedHosts();
    const [sender, receiver] = role === 'initiator' ? [alice, bob] : [bob, alice];
    world.advance(REKEY_TIMEOUT); // the responder's own response counts as a handshake message of its own
    sender.peer(receiver).keypairs.current!.skipCounters(REKEY_AFTER_MESSAGES - 1);
    sender.send(receiver);
    expect(world.sent(INITIATION)).toHaveLength(0);
    sender.send(receiver);
    expect(world.sent(INITIATION, sender)).toHaveLength(1);
    world.settle();
    expect(receiver.delivered).toHaveLength(2);
    expect(sender.peer(receiver).keypairs.current!.sendCounter).toBeLessThan(10);
  });
});

describe('REJECT_AFTER_MESSAGES', () => {
  it('is never sealed: the packet waits for a new session', () => {
    const { alice, bob, world } = connectedHosts();
    world.advance(REKEY_TIMEOUT);
    alice.peer(bob).keypairs.current!.skipCounters(REJECT_AFTER_MESSAGES - 1);
    alice.send(bob);
    expect(world.sent(TRANSPORT, alice)).toHaveLength(1);
    alice.send(bob);
    expect(world.sent(TRANSPORT, alice)).toHaveLength(1);
    world.settle();
    expect(bob.delivered).toHaveLength(2);
  });

  it('is never opened', () => {
    const { alice, bob, world } = connectedHosts();
    alice.send(bob);
    const datagram = world.sent(TRANSPORT, alice)[0]!.transmit.datagram.slice();
    datagram.fill(0xff, 8, 16);
    expect(bob.receive(datagram, alice.path)).toMatchObject({ reason: 'counter-beyond-limit' });
  });
});

describe('REJECT_AFTER_TIME', () => {
  it('ends sealing: the packet waits for a new session', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REJECT_AFTER_TIME);
    bob.send(alice);
    expect(world.sent(TRANSPORT, bob)).toHaveLength(0);
    expect(world.sent(INITIATION, bob)).toHaveLength(1);
    world.settle();
    expect(alice.delivered).toHaveLength(1);
  });

  it('ends opening, to the millisecond', () => {
    const { world, alice, bob } = connectedHosts();
    world.filter = () => false;
    alice.send(bob);
    alice.send(bob);
    const [first, second] = world.sent(TRANSPORT, alice).map((flight) => flight.transmit.datagram);
    world.advance(REJECT_AFTER_TIME - 1);
    expect(isDrop(bob.receive(first!, alice.path))).toBe(false);
    world.advance(1);
    expect(bob.receive(second!, alice.path)).toMatchObject({ reason: 'keypair-expired' });
  });
});

describe('REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT', () => {
  const LAST_MINUTE = REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT;

  it('makes an initiator that only receives renew the session', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(LAST_MINUTE);
    bob.send(alice);
    world.settle();
    expect(world.sent(INITIATION, alice)).toHaveLength(1);
    expect(alice.handshakes()).toBe(1);
  });

  it('not earlier', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(LAST_MINUTE - 1);
    bob.send(alice);
    world.settle();
    expect(world.sent(INITIATION)).toHaveLength(0);
  });

  it('only once a session', () => {
    const { world, alice, bob } = connectedHosts();
    world.filter = (flight) => flight.transmit.datagram[0] !== INITIATION;
    world.advance(LAST_MINUTE);
    bob.send(alice);
    world.settle();
    expect(alice.peer(bob).attemptingSince).toBe(world.now);
    const asked = world.now;
    world.advance(100);
    bob.send(alice);
    world.settle();
    expect(alice.peer(bob).attemptingSince).toBe(asked);
  });

  it('again in the session after', () => {
    const { world, alice, bob } = connectedHosts();
    for (let session = 1; session <= 3; session++) {
      world.advance(LAST_MINUTE);
      bob.send(alice);
      world.settle();
      expect(alice.handshakes()).toBe(session);
    }
  });

  it('does not concern the responder', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(LAST_MINUTE);
    world.filter = (flight) => flight.transmit.datagram[0] !== INITIATION;
    alice.send(bob);
    world.settle();
    expect(world.sent(INITIATION, bob)).toHaveLength(0);
  });
});

describe('REKEY_TIMEOUT', () => {
  it('repeats an unanswered initiation, with jitter, each time as a new one', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    alice.send(bob);
    expect(alice.device.pollTimeout()).toMatchObject({ why: 'REKEY_TIMEOUT' });
    world.advance(60_000);
    const initiations = world.sent(INITIATION, alice);
    expect(initiations.length).toBeGreaterThanOrEqual(11);
    const gaps = initiations.slice(1).map((flight, i) => flight.at - initiations[i]!.at);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(REKEY_TIMEOUT);
      expect(gap).toBeLessThan(REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER);
    }
    expect(new Set(gaps).size).toBeGreaterThan(1);
    const ephemerals = initiations.map((flight) => flight.transmit.datagram.slice(8, 40).join());
    expect(new Set(ephemerals).size).toBe(initiations.length);
  });

  it('lets nothing start a second initiation earlier', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    for (let i = 0; i < 49; i++) {
      alice.send(bob);
      alice.device.initiateHandshake(bob.publicKey, world.now);
      world.advance(100);
    }
    expect(world.sent(INITIATION, alice)).toHaveLength(1);
  });

  it('is not lost when a response of ours comes in between', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = ({ from, transmit }) => from === bob && transmit.datagram[0] === INITIATION;
    alice.send(bob);
    world.advance(4_900);
    bob.send(alice); // its initiation arrives; alice's response does not, nor does any later initiation of bob's
    world.settle();
    world.filter = ({ from, transmit }) => from === alice || transmit.datagram[0] !== INITIATION;
    world.advance(2 * REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER);
    expect(bob.delivered).toHaveLength(1);
  });

  it('delivers what waited once the other side is there again', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    const packets = [alice.send(bob, 60, 1), alice.send(bob, 61, 2), alice.send(bob, 62, 3)];
    world.advance(20_000);
    world.filter = () => true;
    world.advance(6_000);
    expect(bob.delivered).toEqual(packets);
  });
});

describe('REKEY_ATTEMPT_TIME', () => {
  it('ends the attempts, drops what waited and says so', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    alice.send(bob);
    world.advance(REKEY_ATTEMPT_TIME - 1);
    expect(alice.events).toEqual([]);
    world.advance(2 * REKEY_TIMEOUT);
    expect(alice.events).toEqual([{ type: 'handshake-gave-up', peer: bob.publicKey }]);
    expect(alice.device.drops().get('staged-packet-without-session')).toBe(1);
    const attempts = world.sent(INITIATION, alice).length;
    world.advance(120_000);
    expect(world.sent(INITIATION, alice)).toHaveLength(attempts);
  });

  it('begins anew with a new packet', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    alice.send(bob);
    world.advance(REKEY_ATTEMPT_TIME + 2 * REKEY_TIMEOUT);
    world.filter = () => true;
    const packet = alice.send(bob);
    world.settle();
    expect(bob.delivered).toEqual([packet]);
  });
});

describe('KEEPALIVE_TIMEOUT', () => {
  it('answers data with an empty packet when there is nothing else to send', () => {
    const { world, alice, bob } = connectedHosts();
    alice.send(bob);
    world.settle();
    expect(bob.device.pollTimeout()).toEqual({ at: world.now + KEEPALIVE_TIMEOUT, why: 'KEEPALIVE_TIMEOUT' });
    world.advance(KEEPALIVE_TIMEOUT - 1);
    expect(world.sent(TRANSPORT, bob)).toHaveLength(0);
    world.advance(1);
    expect(world.sent(TRANSPORT, bob).map((flight) => flight.transmit.datagram.length)).toEqual([KEEPALIVE_LENGTH]);
  });

  it('sends nothing when something else was sent meanwhile', () => {
    const { world, alice, bob } = connectedHosts();
    alice.send(bob);
    world.advance(5_000);
    bob.send(alice);
    world.advance(5_000 + 1);
    expect(world.sent(TRANSPORT, bob)).toHaveLength(1);
  });

  it('comes once more when more data came while it was due', () => {
    const { world, alice, bob } = connectedHosts();
    alice.send(bob);
    world.advance(5_000);
    alice.send(bob);
    world.advance(KEEPALIVE_TIMEOUT * 3);
    expect(world.sent(TRANSPORT, bob).map((flight) => flight.transmit.datagram.length)).toEqual([32, 32]);
  });

  it('does not answer keepalives, so that two idle peers fall silent', () => {
    const { world, alice, bob } = connectedHosts();
    alice.send(bob);
    world.advance(60_000);
    world.log.length = 0;
    world.advance(600_000);
    expect(world.log).toEqual([]);
  });
});

describe('KEEPALIVE_TIMEOUT + REKEY_TIMEOUT', () => {
  it('starts a new handshake when data was sent and nothing came back', () => {
    const { world, alice, bob } = connectedHosts();
    world.filter = () => false;
    alice.send(bob);
    const at = world.now;
    world.advance(KEEPALIVE_TIMEOUT + REKEY_TIMEOUT - 1);
    expect(world.sent(INITIATION)).toHaveLength(0);
    expect(alice.device.pollTimeout()).toMatchObject({ why: 'KEEPALIVE_TIMEOUT + REKEY_TIMEOUT' });
    world.advance(REKEY_TIMEOUT_JITTER);
    const [initiation] = world.sent(INITIATION, alice);
    expect(initiation!.at - at).toBeLessThan(KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER);
  });

  it('does nothing when anything came back, a keepalive included', () => {
    const { world, alice, bob } = connectedHosts();
    alice.send(bob);
    world.advance(60_000);
    expect(world.sent(INITIATION)).toHaveLength(0);
  });

  it('recovers from a peer that has lost its sessions', () => {
    const { world, alice, bob } = connectedHosts();
    bob.device.removePeer(alice.publicKey);
    bob.knows(alice, {});
    alice.send(bob);
    world.advance(KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER);
    const packet = alice.send(bob);
    world.settle();
    expect(bob.delivered).toEqual([packet]);
  });
});

describe('REJECT_AFTER_TIME * 3', () => {
  it('erases all keys when no new session came', () => {
    const { world, alice, bob } = connectedHosts();
    const { sendKey, receiveKey } = alice.peer(bob).keypairs.current!;
    expect(alice.device.pollTimeout()).toMatchObject({ why: 'REJECT_AFTER_TIME * 3' });
    world.advance(REJECT_AFTER_TIME * 3 - 1);
    expect(sendKey.some((byte) => byte !== 0)).toBe(true);
    world.advance(1);
    expect([...sendKey, ...receiveKey].every((byte) => byte === 0)).toBe(true);
    expect(alice.peer(bob).keypairs.current).toBeUndefined();
    expect(alice.state.indices.size).toBe(0);
    expect(alice.device.pollTimeout()).toBeUndefined();
  });

  it('counts from the last session', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REJECT_AFTER_TIME);
    alice.send(bob);
    world.advance(REJECT_AFTER_TIME * 3 - 1);
    expect(alice.peer(bob).keypairs.current).toBeDefined();
  });
});

describe('PersistentKeepalive', () => {
  it('starts a session at once and then sends one packet each interval', () => {
    const { world, alice, bob } = twoHosts({ persistentKeepalive: 25 });
    world.settle();
    expect(alice.handshakes()).toBeGreaterThan(0);
    world.advance(5_000);
    world.log.length = 0;
    world.advance(100_000);
    expect(world.sent(TRANSPORT, bob).length + world.sent(TRANSPORT, alice).length).toBeGreaterThanOrEqual(7);
    const lengths = world.sent(TRANSPORT).map((flight) => flight.transmit.datagram.length);
    expect(new Set(lengths)).toEqual(new Set([KEEPALIVE_LENGTH]));
  });

  it('is pushed back by any other authenticated packet', () => {
    const { world, alice, bob } = connectedHosts();
    alice.knows(bob, { persistentKeepalive: 25 });
    world.settle();
    world.log.length = 0;
    for (let i = 0; i < 5; i++) {
      world.advance(20_000 - 1);
      alice.send(bob);
    }
    const keepalives = world.sent(TRANSPORT, alice).filter((flight) => flight.transmit.datagram.length === 32);
    expect(keepalives).toHaveLength(0);
  });

  it('goes on for ever through an outage', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    alice.knows(bob, { persistentKeepalive: 25 });
    world.advance(600_000);
    world.filter = () => true;
    world.advance(25_000 + REKEY_TIMEOUT);
    expect(alice.handshakes()).toBe(1);
  });

  it('begins when the peer gets its first path', () => {
    const { world, alice, bob } = twoHosts();
    alice.device.removePeer(bob.publicKey);
    alice.device.setPeer({ publicKey: bob.publicKey, allowedIps: [], persistentKeepalive: 25 }, world.now);
    world.advance(60_000);
    expect(world.log).toEqual([]);
    alice.knows(bob, { persistentKeepalive: 25 });
    expect(world.sent(INITIATION, alice)).toHaveLength(1);
  });

  it('stops when it is switched off', () => {
    const { world, alice, bob } = connectedHosts();
    alice.knows(bob, { persistentKeepalive: 1 });
    world.advance(3_000);
    alice.knows(bob, {});
    world.log.length = 0;
    world.advance(30_000);
    expect(world.log).toEqual([]);
  });
});
