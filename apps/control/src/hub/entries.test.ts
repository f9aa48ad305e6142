import type { HostPort, IpAddress, NetworkId, NodeId, Prefix } from '@warren/base';
import { publicKeyFromBytes } from '@warren/base';
import type { Network, NetworkNode, Peer } from '@warren/topology';
import { expect, test } from 'vitest';
import { entryOf, keptViews, MAX_KEPT_VIEWS } from './entries.js';

const bounce: NetworkNode = {
  id: 'bounce' as NodeId,
  name: 'bounce',
  role: 'bounce',
  kind: 'agent',
  publicKey: publicKeyFromBytes(new Uint8Array(32).fill(1)),
  addresses: ['10.44.0.1' as IpAddress],
  endpoint: '192.0.2.1:51820' as HostPort,
};
const network: Network = {
  id: 'network' as NetworkId,
  name: 'default',
  cidrs: [],
  mtu: 1400,
  nodes: new Map([[bounce.id, bounce]]),
};
const seenWith = (last: number): Peer => ({
  ...bounce,
  allowedIps: [`10.44.${last >> 8}.${last & 255}/32` as Prefix],
  persistentKeepalive: 0,
});

test('equal views of a node are encoded once', () => {
  expect(entryOf(seenWith(1), network)).toBe(entryOf(seenWith(1), network));
});

test('members that come and go for ever do not make the views of a bounce that stays grow for ever', () => {
  for (let i = 0; i < 3 * MAX_KEPT_VIEWS; i++) entryOf(seenWith(i), network);
  expect(keptViews(bounce)).toBe(MAX_KEPT_VIEWS);
});
