import { type NodeId, SecretKey } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyPeers,
  compileChange,
  decide,
  decideNetwork,
  diffPeers,
  filePeersOf,
  isEmptyDelta,
  link,
  type Network,
  type NetworkNode,
  type PeerMap,
  type PeerMapDelta,
  pairId,
  peersOf,
  sameSecret,
} from './index.js';
import { CIDRS, makeNetwork, makeNode, nodeLists } from './testing/networks.js';

const compile = (network: Network): Map<NodeId, PeerMap> => {
  const facts = decide(network);
  return new Map([...network.nodes.keys()].map((id) => [id, peersOf(network, facts, id)]));
};

/** One node added, removed, or changed in one of the ways that others can see. */
type Change = (nodes: readonly NetworkNode[]) => { nodes: NetworkNode[]; changed: NodeId[] };
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom('bounce', 'direct', 'client'), fc.constantFrom('agent', 'vanilla'), fc.nat(99)).map(
    ([role, kind, salt]): Change =>
      (nodes) => {
        const node = makeNode(40 + nodes.length, { role, kind, salt } as Parameters<typeof makeNode>[1]);
        return { nodes: [...nodes, node], changed: [node.id] };
      },
  ),
  fc.nat().map(
    (pick): Change =>
      (nodes) => {
        const gone = nodes[pick % Math.max(1, nodes.length)];
        return { nodes: nodes.filter((node) => node !== gone), changed: gone ? [gone.id] : [] };
      },
  ),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom('role', 'endpoint', 'addresses', 'name', 'publicKey', 'kind', 'record'),
      fc.nat(99),
    )
    .map(
      ([pick, field, salt]): Change =>
        (nodes) => {
          const at = pick % Math.max(1, nodes.length);
          const old = nodes[at];
          if (!old) return { nodes: [], changed: [] };
          const donor = makeNode(60 + at, {
            role: salt % 2 ? 'bounce' : 'direct',
            kind: salt % 3 ? 'agent' : 'vanilla',
            salt,
          });
          const node = { ...old, [field]: donor[field as keyof NetworkNode] };
          return { nodes: nodes.with(at, node as NetworkNode), changed: [old.id] };
        },
    ),
);

/** What is set for the network as a whole: the same, or other preshared keys of some pairs and another keepalive. */
const networkChanges = fc.record({
  salts: fc.array(fc.nat(3), { maxLength: 4 }),
  keepalive: fc.constantFrom(0, 0, 40),
});
function withKeys(network: Network, { salts, keepalive }: { salts: number[]; keepalive: number }): Network {
  const ids = [...network.nodes.keys()];
  const keys = salts.flatMap((salt, at): [string, SecretKey][] => {
    const [a, b] = [ids[at % ids.length], ids[(at + 1 + salt) % ids.length]];
    return a && b && a !== b ? [[pairId(a, b), new SecretKey(new Uint8Array(32).fill(salt + 1))]] : [];
  });
  return {
    ...network,
    presharedKeys: new Map(keys),
    ...(keepalive > 0 && { settings: { persistentKeepalive: keepalive } }),
  };
}

describe('the compiler', () => {
  it('compiles what changes with preshared keys and keepalives of the network as if from nothing', () => {
    fc.assert(
      fc.property(nodeLists, networkChanges, networkChanges, (nodes, old, now) => {
        const [before, after] = [withKeys(makeNetwork(nodes), old), withKeys(makeNetwork(nodes), now)];
        const [seenBefore, seenAfter] = [compile(before), compile(after)];
        const deltas = compileChange(before, after, new Set());
        for (const [id, peers] of seenAfter) {
          const delta = diffPeers(seenBefore.get(id)!, peers);
          expect(deltas.get(id) ?? { upsert: [], remove: [] }).toEqual(delta);
        }
      }),
    );
  });

  it('gives a file the peers that are more than names', () => {
    fc.assert(
      fc.property(nodeLists, networkChanges, (nodes, more) => {
        const network = withKeys(makeNetwork(nodes), more);
        for (const [id, peers] of compile(network)) {
          const reached = [...peers].filter(([, peer]) => peer.allowedIps.length > 0);
          expect(filePeersOf(decideNetwork(network), id)).toEqual(new Map(reached));
        }
      }),
    );
  });

  it('gives both ends of a pair the same preshared key', () => {
    fc.assert(
      fc.property(nodeLists, networkChanges, (nodes, more) => {
        const seen = compile(withKeys(makeNetwork(nodes), more));
        for (const [id, peers] of seen) {
          for (const [other, peer] of peers) {
            expect(sameSecret(peer.presharedKey, seen.get(other)!.get(id)!.presharedKey)).toBe(true);
          }
        }
      }),
    );
  });

  it('lets A see B if and only if B sees A, and makes both WireGuard peers or neither (invariant 9)', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const seen = compile(makeNetwork(nodes));
        for (const [id, peers] of seen) {
          expect(peers.size).toBe(seen.size - 1);
          for (const [otherId, peer] of peers) {
            const back = seen.get(otherId)!.get(id)!;
            expect(back.allowedIps.length === 0).toBe(peer.allowedIps.length === 0);
          }
        }
      }),
    );
  });

  it('does not depend on the order of its input (invariant 8)', () => {
    const shuffled = nodeLists.chain((nodes) =>
      fc.tuple(fc.constant(nodes), fc.shuffledSubarray(nodes, { minLength: nodes.length })),
    );
    fc.assert(
      fc.property(shuffled, ([nodes, others]) => {
        const one = compile(makeNetwork(nodes));
        const two = compile(makeNetwork(others, [...CIDRS].reverse()));
        for (const [id, peers] of one) expect([...two.get(id)!]).toEqual([...peers]);
      }),
    );
  });

  it('gives a prefix to one peer only, so that none silently empties another', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        for (const peers of compile(makeNetwork(nodes)).values()) {
          const prefixes = [...peers.values()].flatMap((peer) => peer.allowedIps);
          expect(new Set(prefixes).size).toBe(prefixes.length);
        }
      }),
    );
  });

  it('gives the network itself to nobody but a vanilla member, and there to its one home', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        const { homes } = decide(network);
        for (const [id, peers] of compile(network)) {
          const wide = [...peers.values()].filter((peer) => peer.allowedIps.some((prefix) => CIDRS.includes(prefix)));
          const home = homes.get(id);
          const expected = network.nodes.get(id)!.kind === 'vanilla' && home ? [home] : [];
          expect(wide.map((peer) => peer.id)).toEqual(expected);
        }
      }),
    );
  });

  it('makes any two agents WireGuard peers, each with its own addresses and, of a bounce, those of its vanilla members', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        const seen = compile(network);
        const agents = nodes.filter((node) => node.kind === 'agent');
        const ownerOf = new Map(nodes.flatMap((node) => node.addresses.map((address) => [`${address}/`, node])));
        for (const viewer of agents) {
          for (const subject of agents.filter((node) => node !== viewer)) {
            const peer = seen.get(viewer.id)!.get(subject.id)!;
            expect(peer).not.toHaveProperty('via');
            const owners = peer.allowedIps.map((prefix) => ownerOf.get(prefix.replace(/(?<=\/).*/, '')));
            expect(owners.filter((owner) => owner === subject)).toHaveLength(subject.addresses.length);
            for (const owner of owners.filter((node) => node !== subject)) {
              expect(owner).toMatchObject({ kind: 'vanilla' });
              expect(seen.get(viewer.id)!.get(owner!.id)).toMatchObject({ allowedIps: [], via: subject.id });
            }
          }
        }
      }),
    );
  });

  it('gives homes to vanilla members only', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        for (const id of decide(network).homes.keys()) expect(network.nodes.get(id)!.kind).toBe('vanilla');
      }),
    );
  });

  it('never lists a node in its own AllowedIPs', () => {
    fc.assert(
      fc.property(nodeLists, (nodes) => {
        const network = makeNetwork(nodes);
        for (const [id, peers] of compile(network)) {
          const { addresses } = network.nodes.get(id)!;
          const prefixes = [...peers.values()].flatMap((peer) => peer.allowedIps);
          for (const address of addresses)
            expect(prefixes).not.toContain(`${address}/${address.includes(':') ? 128 : 32}`);
        }
      }),
    );
  });

  it('links no node with itself', () => {
    const node = makeNode(1);
    expect(link(node, node, decide(makeNetwork([node])))).toEqual([undefined, undefined]);
  });
});

describe('homes', () => {
  it('move for a bounce that comes or goes only where they must', () => {
    fc.assert(
      fc.property(nodeLists, fc.nat(99), (nodes, salt) => {
        const bounce = makeNode(50, { role: 'bounce', salt });
        const without = decide(makeNetwork(nodes)).homes;
        const withIt = decide(makeNetwork([...nodes, bounce])).homes;
        for (const [id, home] of withIt) expect([bounce.id, without.get(id)]).toContain(home);
      }),
    );
  });

  it('leave a bounce that is unavailable, as if it were gone, and only then', () => {
    fc.assert(
      fc.property(nodeLists, fc.nat(99), (nodes, salt) => {
        const living = makeNode(50, { role: 'bounce', salt });
        const dead = { ...living, unavailable: true as const };
        const gone = decide(makeNetwork(nodes)).homes;
        const { homes, homed } = decide(makeNetwork([...nodes, dead]));
        const expected = gone.size > 0 ? gone : decide(makeNetwork([...nodes, living])).homes;
        expect(homes).toEqual(expected);
        expect(homed.has(dead.id)).toBe(true);
      }),
    );
  });

  it('moved by a bounce that became unavailable compile to what comparing everything would give', () => {
    fc.assert(
      fc.property(nodeLists, fc.nat(2), (nodes, pick) => {
        const bounce = nodes.filter((node) => node.role === 'bounce')[pick];
        if (!bounce) return;
        const fewer = nodes.map((node) => (node === bounce ? { ...node, unavailable: true as const } : node));
        const [before, after] = [decideNetwork(makeNetwork(nodes)), decideNetwork(makeNetwork(fewer))];
        for (const [from, to] of [
          [before, after],
          [after, before],
        ] as const) {
          const deltas = compileChange(from, to, new Set([bounce.id]));
          for (const id of to.network.nodes.keys()) {
            const delta = diffPeers(peersOf(from.network, from.facts, id), peersOf(to.network, to.facts, id));
            expect(deltas.get(id) ?? { upsert: [], remove: [] }).toEqual(delta);
          }
        }
      }),
    );
  });

  it('that move change nothing between pairs that kept theirs, or that need none', () => {
    fc.assert(
      fc.property(nodeLists, fc.nat(99), (nodes, salt) => {
        const living = makeNode(50, { role: 'bounce', salt });
        const before = decideNetwork(makeNetwork([...nodes, living]));
        const after = decideNetwork(makeNetwork([...nodes, { ...living, unavailable: true }]));
        const moved = (id: NodeId): boolean => before.facts.homes.get(id) !== after.facts.homes.get(id);
        for (const a of nodes.filter(({ id }) => !moved(id))) {
          for (const b of nodes.filter(({ id }) => !moved(id))) {
            const [was, is] = [link(a, b, before.facts)[0], link(a, b, after.facts)[0]];
            // A bounce also stands for the members that came to it: its list may grow, and nothing else may change.
            const grown = is && { ...is, allowedIps: is.allowedIps.filter((ip) => was?.allowedIps.includes(ip)) };
            expect(grown).toEqual(was);
          }
        }
      }),
    );
  });

  it('spread over the bounces', () => {
    const bounces = [0, 1, 2].map((n) => makeNode(n, { role: 'bounce', salt: 5 }));
    const clients = Array.from({ length: 200 }, (_, n) => makeNode(3 + n, { kind: 'vanilla', salt: n }));
    const { homed } = decide(makeNetwork([...bounces, ...clients]));
    for (const members of homed.values()) expect(members.length).toBeGreaterThan(40);
  });
});

describe('changes', () => {
  it('compile to the same deltas as comparing everything before with everything after', () => {
    fc.assert(
      fc.property(nodeLists, fc.array(changes, { minLength: 1, maxLength: 3 }), (nodes, steps) => {
        const changed = new Set<NodeId>();
        let now: NetworkNode[] = nodes;
        for (const step of steps) {
          const next = step(now);
          now = next.nodes;
          for (const id of next.changed) changed.add(id);
        }
        const [before, after] = [makeNetwork(nodes), makeNetwork(now)];
        const full = new Map<NodeId, PeerMapDelta>();
        const [seenBefore, seenAfter] = [compile(before), compile(after)];
        for (const [id, peers] of seenAfter) {
          const delta = diffPeers(seenBefore.get(id) ?? new Map(), peers);
          if (!isEmptyDelta(delta)) full.set(id, delta);
        }
        const deltas = compileChange(before, after, changed);
        expect(deltas).toEqual(full);
        expect(compileChange(decideNetwork(before), decideNetwork(after), changed)).toEqual(full);
      }),
      { numRuns: 1000 },
    );
  });

  it('of the network itself reach the homes of vanilla members', () => {
    const nodes = [makeNode(0, { role: 'bounce' }), makeNode(1, { kind: 'vanilla' }), makeNode(2)];
    const deltas = compileChange(makeNetwork(nodes), makeNetwork(nodes, [CIDRS[0]!]), new Set());
    expect([...deltas.keys()]).toEqual([nodes[1]!.id]);
    expect(deltas.get(nodes[1]!.id)!.upsert[0]!.allowedIps).toContain('10.44.0.0/16');
  });

  it('applied to what was before give what is after (invariant 10)', () => {
    fc.assert(
      fc.property(nodeLists, nodeLists, fc.nat(), (before, after, pick) => {
        const [one, two] = [compile(makeNetwork(before)), compile(makeNetwork(after))].map((seen) => [
          ...seen.values(),
        ]);
        const previous = one![pick % Math.max(1, one!.length)] ?? new Map();
        const next = two![pick % Math.max(1, two!.length)] ?? new Map();
        const applied = applyPeers(previous, diffPeers(previous, next));
        expect([...applied]).toEqual([...next]);
        expect(isEmptyDelta(diffPeers(applied, next))).toBe(true);
      }),
    );
  });
});
