import { plural } from '../../../ui/format.js';
import type { Attention } from './attention.js';
import type { Mesh } from './mesh.js';

export interface Totals {
  readonly nodes: number;
  readonly online: number;
  readonly direct: number;
  readonly relay: number;
  readonly bounce: number;
  readonly none: number;
  /** Bytes a second, of all links. */
  readonly rate: number;
}

export function countMesh(mesh: Mesh): Totals {
  const totals = { nodes: mesh.nodes.size, online: 0, direct: 0, relay: 0, bounce: 0, none: 0, rate: 0 };
  for (const { online } of mesh.nodes.values()) if (online) totals.online += 1;
  for (const { link } of mesh.links.values()) {
    totals[link.kind] += 1;
    totals.rate += link.rate;
  }
  return totals;
}

/** The graph in words. */
export function describeMesh(totals: Totals, attention: readonly Attention[]): string {
  const { nodes, online, direct, relay, bounce, none } = totals;
  const pairs = direct + relay + bounce + none;
  const paths =
    pairs === 0
      ? 'No paths are known yet.'
      : `${plural(pairs, 'pair')}: ${[
          `${direct} direct`,
          ...(relay > 0 ? [`${relay} relayed`] : []),
          ...(bounce > 0 ? [`${bounce} through a bounce`] : []),
          ...(none > 0 ? [`${none} without a path`] : []),
        ].join(', ')}.`;
  const wrong =
    attention.length === 0
      ? 'Nothing needs attention.'
      : `Needs attention: ${attention.map(({ title }) => title).join(', ')}.`;
  return `${plural(nodes, 'node')}, ${online} online. ${paths} ${wrong}`;
}
