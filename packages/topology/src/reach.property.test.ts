import { ipFamily } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decide,
  isWgQuickProblem,
  type Network,
  type NetworkNode,
  type PeerMap,
  parseWgQuick,
  peersOf,
  renderNetworkPeersConf,
  renderWg0Conf,
} from './index.js';
import { CIDRS, makeNetwork, nodeLists } from './testing/networks.js';
import { type InterfacePeer, type Interfaces, walk } from './testing/reach.js';

/** What each node's interface holds: agents take their peer map, vanilla members their rendered file. */
function interfacesOf(network: Network, facts = decide(network)): Interfaces {
  return new Map(
    [...network.nodes.values()].map((node) => [node.id, interfaceOf(network, node, peersOf(network, facts, node.id))]),
  );
}

function interfaceOf(network: Network, node: NetworkNode, peers: PeerMap): InterfacePeer[] {
  if (node.kind === 'agent') return [...peers.values()].filter((peer) => peer.allowedIps.length > 0);
  return filePeers(network, renderWg0Conf(node, peers, { cidrs: network.cidrs }));
}

/** What a WireGuard that reads the file would hold. */
function filePeers(network: Network, text: string): InterfacePeer[] {
  const conf = parseWgQuick(text);
  if (isWgQuickProblem(conf)) throw new Error(`line ${conf.line}: ${conf.message}`);
  const ids = new Map(Array.from(network.nodes.values(), (node) => [node.publicKey, node.id]));
  return conf.peers.map(({ publicKey, endpoint, allowedIps, persistentKeepalive = 0 }) => {
    return { id: ids.get(publicKey)!, endpoint, allowedIps, persistentKeepalive };
  });
}

function* pairs(network: Network): Generator<readonly [NetworkNode, NetworkNode]> {
  for (const a of network.nodes.values()) for (const b of network.nodes.values()) if (a !== b) yield [a, b];
}

const isPublic = (node: NetworkNode): boolean => node.endpoint !== undefined;

describe('packets', () => {
  it('reach every node from every other, there and back on the same path, with 0 to 3 bounces', () => {
    const seen = new Map<number, number>();
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        const interfaces = interfacesOf(network);
        const bounces = nodes.filter((node) => node.role === 'bounce' && isPublic(node)).length;
        for (const [a, b] of pairs(network)) {
          const agents = a.kind === 'agent' && b.kind === 'agent';
          const connected = agents || bounces > 0 || isPublic(a) || isPublic(b);
          for (const source of a.addresses) {
            for (const destination of b.addresses.filter((address) => ipFamily(address) === ipFamily(source))) {
              const there = walk(network, interfaces, a.id, source, destination);
              const back = walk(network, interfaces, b.id, destination, source);
              if (connected) {
                expect(there).toBeInstanceOf(Array);
                // Nobody else's kernel sees what two agents say to each other.
                if (agents) expect(there).toEqual([b.id]);
                expect([a.id, ...there]).toEqual([b.id, ...back].reverse());
              } else {
                expect(there).toMatch(/has no route/);
              }
              seen.set(bounces, (seen.get(bounces) ?? 0) + 1);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    for (const bounces of [0, 1, 2, 3]) expect(seen.get(bounces)).toBeGreaterThan(100);
  });

  it('reach every node from a vanilla client that has the network-wide file, if it is homed at the bounce there', () => {
    let followers = 0;
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        const facts = decide(network);
        const shared = filePeers(network, `[Interface]\n${renderNetworkPeersConf(network, facts)}`);
        const gateway = shared.find((peer) => peer.allowedIps.includes(CIDRS[0]!))?.id;
        const interfaces = new Map(interfacesOf(network));
        for (const follower of nodes) {
          const isFollower = follower.role === 'client' && follower.kind === 'vanilla';
          if (!isFollower || facts.homes.get(follower.id) !== gateway || !gateway) continue;
          followers++;
          interfaces.set(follower.id, shared);
          for (const other of nodes.filter((node) => node !== follower)) {
            const there = walk(network, interfaces, follower.id, follower.addresses[0]!, other.addresses[0]!);
            const back = walk(network, interfaces, other.id, other.addresses[0]!, follower.addresses[0]!);
            expect(there).toBeInstanceOf(Array);
            expect(back).toBeInstanceOf(Array);
          }
        }
      }),
      { numRuns: 200 },
    );
    expect(followers).toBeGreaterThan(50);
  });
});
