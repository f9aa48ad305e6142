import { ipFamily } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Network, type NetworkNode, peersOf } from './index.js';
import { makeNetwork, nodeLists } from './networks.fixture.js';
import { type InterfacePeer, type Interfaces, walk } from './reach.fixture.js';

/** What each node's interface holds: agents take their peer map, vanilla members their rendered file. */
function interfacesOf(network: Network): Interfaces {
  const facts = decide(network);
  return new Map(
    [...network.nodes.values()].map((node) => [node.id, interfaceOf(network, node, peersOf(network, facts, node.id))]),
  );
}

function interfaceOf(network: Network, node: NetworkNode, peers: ReturnType<typeof peersOf>): InterfacePeer[] {
  void network;
  void node;
  return [...peers.values()].filter((peer) => peer.allowedIps.length > 0);
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
          const connected = bounces > 0 || isPublic(a) || isPublic(b);
          for (const source of a.addresses) {
            for (const destination of b.addresses.filter((address) => ipFamily(address) === ipFamily(source))) {
              const there = walk(network, interfaces, a.id, source, destination);
              const back = walk(network, interfaces, b.id, destination, source);
              if (connected) {
                expect(there).toBeInstanceOf(Array);
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
});
