import { instant, SecretKey } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { connectedHosts, type Host, twoHosts } from './testing/two-devices.js';

const psk = (fill: number): SecretKey => new SecretKey(new Uint8Array(32).fill(fill));

describe.each([
  { what: 'without preshared key', config: {}, inMemory: false },
  { what: 'with a preshared key', config: { presharedKey: psk(7) }, inMemory: false },
  { what: 'in one memory', config: {}, inMemory: true },
])('a session $what', ({ config, inMemory }) => {
  it('forms on the first packet, which is delivered, and carries data both ways', () => {
    const { world, alice, bob } = twoHosts(config, inMemory);
    const first = alice.send(bob, 100);
    world.settle();
    expect(bob.delivered).toEqual([first]);
    const answer = bob.send(alice, 1420, 9);
    world.settle();
    expect(alice.delivered).toEqual([answer]);
    expect([...alice.dropReasons(), ...bob.dropReasons()]).toEqual([]);
    expect(alice.events).toContainEqual(
      expect.objectContaining({ type: 'handshake-completed', role: 'initiator', peer: bob.publicKey }),
    );
    expect(bob.events).toContainEqual(
      expect.objectContaining({ type: 'handshake-completed', role: 'responder', peer: alice.publicKey }),
    );
  });

  it('forms in the other role as well', () => {
    const { world, alice, bob } = twoHosts(config, inMemory);
    const first = bob.send(alice);
    world.settle();
    expect(alice.delivered).toEqual([first]);
  });

  it('is renewed without losing a packet', () => {
    const { world, alice, bob } = connectedHosts(config, inMemory);
    for (let second = 0; second < 300; second++) {
      alice.send(bob, 60, second);
      bob.send(alice, 61, second);
      world.advance(1000);
    }
    expect(bob.delivered).toHaveLength(300);
    expect(alice.delivered).toHaveLength(300);
    expect(alice.handshakes()).toBe(2);
    expect(bob.handshakes()).toBe(2);
    expect([...alice.dropReasons(), ...bob.dropReasons()]).toEqual([]);
  });
});

describe('simultaneous initiation', () => {
  it('gives both a working session at once', () => {
    const { world, alice, bob } = twoHosts();
    const fromAlice = alice.send(bob, 80, 1);
    const fromBob = bob.send(alice, 80, 2);
    world.settle();
    expect(bob.delivered).toEqual([fromAlice]);
    expect(alice.delivered).toEqual([fromBob]);
    const more = [alice.send(bob, 80, 3), bob.send(alice, 80, 4)];
    world.settle();
    expect([bob.delivered.at(-1), alice.delivered.at(-1)]).toEqual(more);
    expect([...alice.dropReasons(), ...bob.dropReasons()]).toEqual([]);
  });
});

describe('the round trip of a handshake', () => {
  /** Every datagram is 20 ms on its way. */
  function farHosts() {
    const hosts = twoHosts();
    const { world } = hosts;
    world.filter = () => {
      world.now = instant(world.now + 20);
      return true;
    };
    return hosts;
  }
  const rttOf = (host: Host) => [...host.device.peers()][0]?.handshakeRtt;

  it('is measured by both ends', () => {
    const { world, alice, bob } = farHosts();
    expect(rttOf(alice)).toBeUndefined();
    alice.send(bob);
    world.settle();
    expect([rttOf(alice), rttOf(bob)]).toEqual([40, 40]);
  });

  it('is not taken from what an initiator says long after', () => {
    const { world, alice, bob } = farHosts();
    const { filter } = world;
    world.filter = (flight) => filter(flight) && !(flight.from === alice && flight.transmit.datagram[0] === 4);
    alice.send(bob);
    world.settle();
    world.filter = filter;
    world.advance(8_000);
    alice.send(bob);
    world.settle();
    expect(bob.delivered).toHaveLength(1);
    expect([rttOf(alice), rttOf(bob)]).toEqual([40, undefined]);
  });
});
