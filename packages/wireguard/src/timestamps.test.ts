import { type Prefix, publicKeyFromBytes, unixMillis } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { expect, it } from 'vitest';
import type { PathId } from './device-api.js';
import { isLater, TimestampSource } from './handshake/tai64n.js';
import { connectedHosts, seededRandom, twoHosts } from './testing/two-devices.js';

it('initiating to many peers at once does not run ahead of the clock: after a restart it would be refused', () => {
  const { world, alice, bob } = twoHosts();
  const random = seededRandom(7);
  const wallClock = alice.state.options.wallClock();
  for (let i = 0; i < 150; i++) {
    const publicKey = publicKeyFromBytes(nobleProvider.publicKey(random(32)));
    const allowedIps = [`10.1.0.${i}/32` as Prefix];
    alice.device.setPeer({ publicKey, allowedIps, path: (1000 + i) as PathId }, world.now);
    alice.device.initiateHandshake(publicKey, world.now);
  }
  alice.device.initiateHandshake(bob.publicKey, world.now);
  world.settle();
  expect(bob.handshakes()).toBe(1);
  const consumed = bob.peer(alice).lastTimestamp;
  expect(isLater(consumed, new TimestampSource().next(wallClock))).toBe(false);
});

it('a peer that is removed and added again after the clock was set back is still reached', () => {
  const { world, alice, bob } = connectedHosts();
  const { wallClock } = alice.state.options;
  Object.assign(alice.state.options, { wallClock: () => unixMillis(wallClock() - 3_600_000) });
  alice.device.removePeer(bob.publicKey);
  world.advance(6_000);
  alice.knows(bob);
  alice.device.initiateHandshake(bob.publicKey, world.now);
  world.advance(6_000);
  expect(alice.handshakes()).toBe(1);
});
