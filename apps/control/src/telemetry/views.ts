import type { NodeId } from '@warren/base';
import type { z } from 'zod';
import type { NodePath, TopologyLink, TopologyNode } from '../rest/telemetry-schemas.js';
import type { Link, LinkEnd } from './link.js';
import type { NodeState } from './node-state.js';

/** What is known of nodes and links as REST shows it. Rates are whole bytes a second, round-trip times tenths of milliseconds. */

/** One moment, by both clocks. */
export interface Moment {
  readonly unix: number;
  readonly monotonic: number;
}

type LinkView = z.infer<typeof TopologyLink>;
type NodeView = z.infer<typeof TopologyNode>;
type PathView = z.infer<typeof NodePath>;

/** What is seen of a node; the rest of it is in the database. */
export type SeenNode = Pick<
  NodeView,
  'online' | 'lastSeenAt' | 'version' | 'nat' | 'reflexive' | 'rxRate' | 'txRate' | 'paths'
>;

const timeOf = (unix: number): string | null => (unix > 0 ? new Date(unix).toISOString() : null);

export function linkView(link: Link, { monotonic }: Moment): LinkView {
  const end = link.shown();
  const { claim } = end;
  return {
    a: link.a,
    b: link.b,
    kind: claim.kind,
    lan: claim.lan,
    family: familyOf(end),
    transport: transportOf(end),
    via: claim.via,
    rttMs: rttOf(end),
    rate: link.rate(monotonic),
    since: timeOf(claim.sinceMs),
    reason: claim.reason,
    agreed: link.agreed,
  };
}

export function seenNode(node: NodeState, { unix, monotonic }: Moment): SeenNode {
  return {
    online: node.isOnline(unix),
    lastSeenAt: lastSeenAt(node, unix),
    version: node.version,
    nat: node.nat?.mapping ?? null,
    reflexive: [...(node.nat?.reflexive ?? [])],
    rxRate: node.rxRate(monotonic),
    txRate: node.txRate(monotonic),
    paths: { ...node.paths },
  };
}

/** Now, of an agent that is connected. */
export const lastSeenAt = (node: NodeState, now: number): string | null =>
  timeOf(node.connection ? now : node.lastSeen);

/** One node's paths, by name of the other. What only the other end says is seen from there. */
export function pathViews(node: NodeState, nameOf: (id: NodeId) => string): PathView[] {
  const views = [...node.links.values()].map((link) => pathView(link, node, nameOf));
  return views.sort((a, b) => (a.peer.name < b.peer.name ? -1 : 1));
}

function pathView(link: Link, node: NodeState, nameOf: (id: NodeId) => string): PathView {
  const other = link.other(node.id);
  const own = link.end(node.id);
  const end = own ?? link.end(other)!;
  const { kind, lan, via, reason, endpoint, sinceMs, lastHandshakeMs } = end.claim;
  const { rxBytes, txBytes } = end.meter;
  return {
    peer: { id: other, name: nameOf(other) },
    ...{ kind, lan, family: familyOf(end), transport: transportOf(end), via, rttMs: rttOf(end), reason },
    // The other end says where this node is.
    endpoint: own ? endpoint : null,
    since: timeOf(sinceMs),
    lastHandshake: timeOf(lastHandshakeMs),
    rxBytes: own ? rxBytes : txBytes,
    txBytes: own ? txBytes : rxBytes,
  };
}

function familyOf({ claim: { kind, endpoint } }: LinkEnd): LinkView['family'] {
  if (kind !== 'direct' || endpoint === null) return null;
  return endpoint.startsWith('[') ? 'ipv6' : 'ipv4';
}

function transportOf({ claim: { kind, tls } }: LinkEnd): LinkView['transport'] {
  return kind === 'none' ? null : kind === 'relay' && tls ? 'tls' : 'udp';
}

const rttOf = ({ claim: { rttUs } }: LinkEnd): number | null =>
  rttUs > 0 ? Math.max(0.1, Math.round(rttUs / 100) / 10) : null;
