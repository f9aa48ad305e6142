import { describe, expect, it, vi } from 'vitest';
import { linkKey, type MeshChange } from './mesh.js';
import { linkOf, nodeOf } from './testing/mesh-of.js';
import { TopologyStore } from './topology-store.js';

const topology = (links = [linkOf('a', 'b', { kind: 'relay', transport: 'udp' })]) => ({
  ...{ networkId: 'n', revision: 1, at: '2026-01-01T00:00:00Z', nodes: [nodeOf('a'), nodeOf('b')] },
  links,
});
const direct = { type: 'topology.links', data: { networkId: 'n', links: [linkOf('a', 'b')], gone: [] } };
const kindOf = (store: TopologyStore): string | undefined => store.mesh.links.get(linkKey('a', 'b'))?.link.kind;

describe('the store behind the graph', () => {
  it('lets an event that came after the question outweigh the answer', () => {
    const store = new TopologyStore();
    store.take(direct, 100);
    store.replace(topology(), 50);
    expect(kindOf(store)).toBe('direct');
  });

  it('lets the answer outweigh what came before the question', () => {
    const store = new TopologyStore();
    store.take(direct, 100);
    store.replace(topology(), 150);
    expect(kindOf(store)).toBe('relay');
  });

  it('ignores events of other networks and those that are not what they should be', () => {
    const store = new TopologyStore();
    store.replace(topology(), 0);
    for (const data of [
      { ...direct.data, networkId: 'other' },
      null,
      'x',
      { networkId: 'n' },
      { networkId: 'n', links: 7 },
    ])
      store.take({ type: 'topology.links', data }, 1);
    store.take({ type: 'topology.nodes', data: { networkId: 'n', nodes: {} } }, 1);
    expect(kindOf(store)).toBe('relay');
  });

  it('animates nothing of the first answer, and everything of the next', () => {
    const store = new TopologyStore();
    const changes: MeshChange[] = [];
    store.onChange((change) => changes.push(change));
    store.replace(topology(), 0);
    store.replace({ ...topology([]), nodes: [nodeOf('a'), nodeOf('c')] }, 1);
    expect(changes[0]).toMatchObject({ structure: true, appeared: [] });
    expect(changes[1]).toMatchObject({ appeared: ['c'], vanished: ['b'], goneLinks: [linkKey('a', 'b')] });
  });

  it('shows a swarm of events once', () => {
    vi.useFakeTimers();
    const store = new TopologyStore();
    store.replace(topology(), 0);
    const shown = vi.fn();
    store.subscribe(shown);
    for (let i = 0; i < 50; i++) store.take(direct, i);
    expect(shown).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(shown).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});
