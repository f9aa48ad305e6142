import { instant, publicKeyFromBytes, SecretKey, unixMillis } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { LinkHooks } from './link-hooks.js';
import { Outbox } from './outbox.js';
import type { PathPeer } from './path-manager-api.js';
import { PeerPaths } from './peer-paths.js';
import { PeerRelays } from './peer-relays.js';

import { ServerSet } from './server-set.js';

const relayId = new Uint8Array(8).fill(1);
const bytes = new Uint8Array(32).fill(2);
const peer: PathPeer = { publicKey: publicKeyFromBytes(bytes), name: 'bob', relayId, pathKey: bytes, endpoints: [] };
const silent = (): void => undefined;
const hooks: LinkHooks = {
  nat: { mapping: 'unknown', filtering: 'unknown' },
  linkUp: silent,
  linkDown: silent,
  linkDoubted: silent,
  linkMeasured: silent,
  reflexiveChanged: silent,
  notHere: silent,
};

function relays(): PeerRelays {
  const options = {
    relayId,
    pathKey: new SecretKey(bytes),
    random: (length: number) => new Uint8Array(length),
    wallClock: () => unixMillis(0),
    predictPorts: false,
  };
  return new PeerRelays(peer, new ServerSet(options, new Outbox(), hooks), new PeerPaths(peer.publicKey, relayId));
}

describe('where a peer is registered', () => {
  it('is believed of a server that is none of its homes for two minutes after it was heard there', () => {
    const bob = relays();
    bob.heard('guest', instant(1_000));
    expect(bob.isProven('guest', instant(120_000))).toBe(true);
    expect(bob.isProven('guest', instant(122_000))).toBe(false);
  });

  it('is believed of a home until the server or a silence says otherwise', () => {
    const bob = relays();
    bob.setHomes(['home']);
    bob.heard('home', instant(1_000));
    expect(bob.isProven('home', instant(900_000))).toBe(true);
    bob.notHere('home', instant(900_000));
    expect(bob.isProven('home', instant(900_001))).toBe(false);
  });

  it('is asked anew when the peer names other homes', () => {
    const bob = relays();
    bob.setHomes(['home']);
    bob.heard('home', instant(1_000));
    bob.setHomes(['other']);
    expect(bob.isProven('home', instant(1_001))).toBe(false);
  });
});
