import { describe, expect, it, vi } from 'vitest';
import type { Topology, TopologyLink, TopologyNode } from './telemetry.js';

vi.stubGlobal('window', { location: { origin: 'http://127.0.0.1' } });
const { applyTelemetry } = await import('./telemetry.js');

const node = (id: string) => ({ id, name: id, rxRate: 0, online: false }) as TopologyNode;
const link = (a: string, b: string, kind: TopologyLink['kind']) => ({ a, b, kind }) as TopologyLink;
const topology: Topology = {
  networkId: 'n1',
  revision: 1,
  at: '2026-11-22T12:00:00Z',
  nodes: [node('a'), node('b'), node('c')],
  links: [link('a', 'b', 'relay'), link('b', 'c', 'direct')],
};

describe('what agents report, applied to the topology that is shown', () => {
  it('changes the nodes that it names, and leaves the others as they are', () => {
    const data = { networkId: 'n1', nodes: [{ id: 'b', rxRate: 7, online: true }] };
    const after = applyTelemetry(topology, { type: 'topology.nodes', data });
    expect(after.nodes[1]).toEqual({ ...node('b'), rxRate: 7, online: true });
    expect(after.nodes[0]).toBe(topology.nodes[0]);
  });

  it('replaces a link, adds one, and removes one that is gone', () => {
    const data = { networkId: 'n1', links: [link('a', 'b', 'direct'), link('a', 'c', 'none')], gone: [['b', 'c']] };
    const { links } = applyTelemetry(topology, { type: 'topology.links', data });
    expect(links).toEqual([link('a', 'b', 'direct'), link('a', 'c', 'none')]);
  });

  it('ignores other networks and other events', () => {
    const data = { networkId: 'n2', nodes: [{ id: 'b', rxRate: 7 }], links: [], gone: [] };
    expect(applyTelemetry(topology, { type: 'topology.nodes', data })).toBe(topology);
    expect(applyTelemetry(topology, { type: 'topology.links', data })).toBe(topology);
    expect(applyTelemetry(topology, { type: 'node.join', data: { networkId: 'n1' } })).toBe(topology);
  });
});
