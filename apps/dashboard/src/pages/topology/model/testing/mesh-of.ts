import { emptyMesh, type Mesh, replaceMesh, type TopologyLink, type TopologyNode } from '../mesh.js';

/** A node as the control plane would tell of it: an agent that is a client and is there. */
export const nodeOf = (id: string, facts: Partial<TopologyNode> = {}): TopologyNode => ({
  ...{ id, name: id, role: 'client', kind: 'agent', status: 'active', tags: [], addresses: [], endpoint: null },
  ...{ online: true, lastSeenAt: '2026-01-01T00:00:00Z', version: null, home: null, disabled: false, nat: null },
  ...{ reflexive: [], rxRate: 0, txRate: 0, paths: { direct: 0, relay: 0, bounce: 0, none: 0 }, warnings: [] },
  ...facts,
});

/** A direct path over IPv4. */
export const linkOf = (a: string, b: string, facts: Partial<TopologyLink> = {}): TopologyLink => ({
  ...{ a: a < b ? a : b, b: a < b ? b : a, kind: 'direct', lan: false, family: 'ipv4', transport: null, via: null },
  ...{ rttMs: null, rate: 0, since: null, reason: null, agreed: true },
  ...facts,
});

export function meshOf(nodes: readonly TopologyNode[], links: readonly TopologyLink[] = []): Mesh {
  const mesh = emptyMesh();
  replaceMesh(mesh, { nodes: [...nodes], links: [...links] });
  return mesh;
}
