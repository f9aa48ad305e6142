import { plural } from '../../../ui/format.js';
import type { Mesh, TopologyLink, TopologyNode } from './mesh.js';
import { nodeState } from './node-look.js';

/** Something that an operator should look at. */
export interface Attention {
  /** `offline`, `pending`, `expired`, `no-path`, or the code of a warning. */
  readonly code: string;
  readonly tone: 'bad' | 'warn';
  readonly title: string;
  /** Nodes that it is about. */
  readonly nodes: readonly { readonly id: string; readonly name: string; readonly message: string }[];
  /** Pairs that it is about. */
  readonly pairs: readonly TopologyLink[];
}

const WARNINGS: Readonly<Record<string, (count: number) => string>> = {
  clone: (count) => `${plural(count, 'node')} may have been cloned`,
  'lan-clash': (count) => `${plural(count, 'node')} on a LAN that overlaps the network`,
  'network-clash': (count) => `${plural(count, 'node')} in networks that overlap`,
  'key-expiring': (count) => `${plural(count, 'key')} about to expire`,
  'udp-blocked': (count) => `${plural(count, 'node')} whose network blocks UDP`,
  unavailable: (count) => `${plural(count, 'bounce')} held for dead`,
};
const GRAVE = new Set(['clone', 'unavailable']);

/** What is wrong at a glance, the gravest first. */
export function findAttention(mesh: Mesh): readonly Attention[] {
  const nodes = [...mesh.nodes.values()];
  const offline = nodes.filter((node) => nodeState(node) === 'offline');
  const pending = nodes.filter((node) => nodeState(node) === 'pending');
  const expired = nodes.filter((node) => nodeState(node) === 'expired');
  const broken = brokenPairs(mesh);
  const found: Attention[] = [
    of('no-path', 'bad', `${plural(broken.length, 'pair')} without a path`, [], broken),
    of('offline', 'bad', `${plural(offline.length, 'node')} offline`, offline),
    of('expired', 'bad', `${plural(expired.length, 'node')} with an expired key`, expired),
    of('pending', 'warn', `${plural(pending.length, 'node')} waiting for approval`, pending),
    ...warnings(nodes),
  ];
  return found
    .filter((one) => one.nodes.length + one.pairs.length > 0)
    .sort((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}

/** Pairs of which both are there. With one of them offline, that is what is wrong. */
function brokenPairs(mesh: Mesh): TopologyLink[] {
  const up = (id: string): boolean => mesh.nodes.get(id)?.online === true;
  const broken: TopologyLink[] = [];
  for (const { link } of mesh.links.values()) if (link.kind === 'none' && up(link.a) && up(link.b)) broken.push(link);
  return broken;
}

const of = (
  code: string,
  tone: 'bad' | 'warn',
  title: string,
  nodes: readonly TopologyNode[],
  pairs: readonly TopologyLink[] = [],
): Attention => ({ code, tone, title, nodes: nodes.map(({ id, name }) => ({ id, name, message: '' })), pairs });

function warnings(nodes: readonly TopologyNode[]): Attention[] {
  const byCode = new Map<string, { id: string; name: string; message: string }[]>();
  for (const { id, name, warnings: list } of nodes) {
    for (const { code, message } of list) {
      const about = byCode.get(code);
      if (about) about.push({ id, name, message });
      else byCode.set(code, [{ id, name, message }]);
    }
  }
  return [...byCode].map(([code, about]) => ({
    ...{ code, tone: GRAVE.has(code) ? ('bad' as const) : ('warn' as const), nodes: about, pairs: [] },
    title: WARNINGS[code]?.(about.length) ?? `${plural(about.length, 'node')}: ${about[0]!.message}`,
  }));
}
