import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REKEY_ATTEMPT_TIME, REKEY_TIMEOUT } from './constants.js';
import type { PathId } from './device-api.js';
import { MESSAGE_TYPE } from './handshake/messages.js';
import { type Host, twoHosts, type World } from './testing/two-devices.js';

const ELSEWHERE = 77 as PathId;

for (const inMemory of [false, true]) {
  describe(`a peer whose path is decided outside${inMemory ? ', in memory' : ''}`, () => {
    let world: World;
    let alice: Host;
    let bob: Host;
    const told = (host: Host, type: string) => host.events.filter((event) => event.type === type);

    beforeEach(() => {
      ({ world, alice, bob } = twoHosts({ roams: false }, inMemory));
    });
    afterEach(() => expect(alice.device.drops().size).toBe(0));

    const connect = () => {
      alice.device.initiateHandshake(bob.publicKey, world.now);
      world.settle();
    };

    it('does not follow an authenticated packet, but tells where it came from, once', () => {
      connect();
      const before = alice.pathTo(bob);
      bob.path = ELSEWHERE;
      for (let i = 0; i < 5; i++) bob.send(alice);
      world.settle();
      expect(alice.delivered).toHaveLength(5);
      expect(alice.pathTo(bob)).toBe(before);
      expect(told(alice, 'heard-elsewhere')).toEqual([
        { type: 'heard-elsewhere', peer: bob.publicKey, path: ELSEWHERE },
      ]);
      expect(told(alice, 'path-changed')).toEqual([]);
    });

    it('moves by setPath alone, and keeps its session and counters', () => {
      connect();
      bob.path = ELSEWHERE;
      bob.send(alice);
      world.settle();
      alice.device.setPath(bob.publicKey, ELSEWHERE, world.now);
      alice.send(bob);
      world.settle();
      expect(bob.delivered).toHaveLength(1);
      expect(alice.handshakes()).toBe(1);
      expect(world.sent(MESSAGE_TYPE.initiation)).toHaveLength(1);
    });

    it('gets the response to an initiation from where it came', () => {
      const response = () => world.sent(MESSAGE_TYPE.response, alice).at(-1)?.transmit.path;
      bob.path = ELSEWHERE;
      bob.device.initiateHandshake(alice.publicKey, world.now);
      world.settle();
      expect(response()).toBe(ELSEWHERE);
      expect(alice.pathTo(bob)).not.toBe(ELSEWHERE);
      expect(alice.peer(bob).keypairs.current ?? alice.peer(bob).keypairs.next).toBeDefined();
    });

    it('sends an unanswered initiation again when its path moves, and the session is one', () => {
      bob.path = ELSEWHERE; // where alice does not know it yet
      alice.send(bob);
      world.settle();
      expect(world.sent(MESSAGE_TYPE.initiation)).toHaveLength(0);
      alice.device.setPath(bob.publicKey, ELSEWHERE, world.now);
      world.settle();
      expect(bob.delivered).toHaveLength(1);
      expect(alice.handshakes()).toBe(1);
    });

    it('leaves an initiation of its own alone when the other end has begun a session meanwhile', () => {
      world.filter = ({ from }) => from === bob || alice.handshakes() > 0;
      alice.device.initiateHandshake(bob.publicKey, world.now);
      world.settle();
      world.filter = () => true;
      bob.send(alice);
      world.settle();
      expect(alice.peer(bob).keypairs.current ?? alice.peer(bob).keypairs.next).toBeDefined();
      world.log.length = 0;
      bob.path = ELSEWHERE;
      alice.device.setPath(bob.publicKey, ELSEWHERE, world.now);
      world.settle();
      expect(world.sent(MESSAGE_TYPE.initiation)).toEqual([]);
    });

    it('repeats at once what waits when there is a way again, and nothing when nothing does', () => {
      alice.device.tryAgain(bob.publicKey, world.now);
      expect(alice.device.pollTransmit()).toBeUndefined();
      world.filter = () => false;
      alice.send(bob);
      world.settle();
      world.filter = () => true;
      world.advance(100);
      alice.device.tryAgain(bob.publicKey, world.now);
      world.settle();
      expect(bob.delivered).toHaveLength(1);
      world.log.length = 0;
      alice.device.tryAgain(bob.publicKey, world.now);
      world.settle();
      expect(world.log).toEqual([]);
    });

    it('has a copy of an initiation refused without any harm', () => {
      alice.device.initiateHandshake(bob.publicKey, world.now);
      const pending = alice.peer(bob).pending!.datagram;
      bob.receive(pending, alice.path);
      bob.receive(pending, ELSEWHERE);
      expect(bob.dropReasons()).toHaveLength(1);
      world.settle();
      expect(alice.peer(bob).keypairs.current ?? alice.peer(bob).keypairs.next).toBeDefined();
    });

    describe('and that has none yet', () => {
      beforeEach(() => {
        alice.device.removePeer(bob.publicKey);
        alice.device.setPeer(
          { publicKey: bob.publicKey, allowedIps: [`${bob.address}/32` as never], roams: false },
          world.now,
        );
      });

      it('lets packets wait and asks for a path, then sends them in order', () => {
        for (let i = 0; i < 3; i++) alice.send(bob, 100 + i);
        expect(told(alice, 'path-wanted')).toEqual([{ type: 'path-wanted', peer: bob.publicKey }]);
        world.advance(50);
        alice.device.setPath(bob.publicKey, bob.path, world.now);
        world.settle();
        expect(bob.delivered.map(({ length }) => length)).toEqual([100, 101, 102]);
      });

      it('begins the handshake that a keepalive asked for as soon as it has one', () => {
        alice.knows(bob, { roams: false, path: undefined as never, persistentKeepalive: 25 });
        expect(told(alice, 'path-wanted')).toHaveLength(1);
        alice.device.setPath(bob.publicKey, bob.path, world.now);
        world.settle();
        expect(alice.handshakes()).toBe(1);
      });

      it('asks again each REKEY_TIMEOUT and then gives up', () => {
        alice.send(bob);
        world.advance(REKEY_TIMEOUT * 3 + 1_000);
        expect(told(alice, 'path-wanted')).toHaveLength(4);
        world.advance(REKEY_ATTEMPT_TIME + REKEY_TIMEOUT);
        expect(told(alice, 'handshake-gave-up')).toHaveLength(1);
        expect(alice.peer(bob).staged.size).toBe(0);
        expect(alice.device.drops().get('staged-packet-without-session')).toBe(1);
        alice.state.drops.clear();
      });

      it('answers under a session that the other end began only when it has a path', () => {
        bob.send(alice);
        world.settle();
        expect(alice.delivered).toHaveLength(1);
        alice.send(bob);
        expect(told(alice, 'path-wanted')).toHaveLength(1);
        expect(bob.delivered).toHaveLength(0);
        alice.device.setPath(bob.publicKey, bob.path, world.now);
        world.settle();
        expect(bob.delivered).toHaveLength(1);
        expect(alice.handshakes() + bob.handshakes()).toBe(2); // one session, told by both
      });
    });
  });
}

it('a peer that roams, as all others do, moves at once and tells so', () => {
  const { world, alice, bob } = twoHosts();
  alice.device.initiateHandshake(bob.publicKey, world.now);
  world.settle();
  bob.path = ELSEWHERE;
  bob.send(alice);
  world.settle();
  expect(alice.pathTo(bob)).toBe(ELSEWHERE);
});
