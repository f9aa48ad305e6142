import { setImmediate as turn } from 'node:timers/promises';
import type { NodeId } from '@warren/base';
import type { MemberRow, NetworkRow } from '@warren/db';
import { keyWarningMs } from '@warren/topology';
import type { z } from 'zod';
import type { TopologyNode } from '../rest/telemetry-schemas.js';
import type { NetworkTelemetry } from './network-telemetry.js';
import { linkView, type Moment, seenNode } from './views.js';

/** Nodes or links that are made into text before others have their turn. */
const IN_ONE_GO = 1_000;

/** Of what a topology is made. */
export interface TopologyParts {
  readonly network: Pick<NetworkRow, 'id' | 'keyExpiryMs'>;
  readonly revision: number;
  readonly members: readonly MemberRow[];
  readonly telemetry: NetworkTelemetry | undefined;
  /** The bounce through which a node is reached. */
  readonly homeOf: (id: NodeId) => NodeId | undefined;
  readonly isUnavailable: (id: NodeId) => boolean;
  readonly lanClashesOf: (id: NodeId) => readonly string[];
  readonly moment: Moment;
  readonly traffic: boolean;
}

type NodeView = z.infer<typeof TopologyNode>;

/** The JSON of a topology. Of ten thousand nodes it is megabytes, so it is made in pieces between which others have their turn. */
export async function topologyJson(parts: TopologyParts): Promise<Buffer> {
  const { network, revision, members, telemetry, moment } = parts;
  const head = { networkId: network.id, revision, at: new Date(moment.unix).toISOString() };
  const texts = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"nodes":[`)];
  await append(texts, members, (row) => topologyNode(row, parts));
  texts.push(Buffer.from('],"links":['));
  await append(texts, links(telemetry, members), (link) => linkView(link, moment));
  texts.push(Buffer.from(']}'));
  return Buffer.concat(texts);
}

/** Each link once. */
function* links(telemetry: NetworkTelemetry | undefined, members: readonly MemberRow[]) {
  for (const { id } of members)
    for (const link of telemetry?.nodes.get(id)?.links.values() ?? []) if (link.a === id) yield link;
}

async function append<T>(texts: Buffer[], all: Iterable<T>, view: (one: T) => object): Promise<void> {
  let text = '';
  let count = 0;
  for (const one of all) {
    text += `${count === 0 ? '' : ','}${JSON.stringify(view(one))}`;
    count += 1;
    if (count % IN_ONE_GO > 0) continue;
    texts.push(Buffer.from(text));
    text = '';
    await turn();
  }
  texts.push(Buffer.from(text));
}

function topologyNode(row: MemberRow, parts: TopologyParts): NodeView {
  const { telemetry, moment, traffic } = parts;
  const node = telemetry?.nodes.get(row.id);
  const seen = node && seenNode(node, moment);
  const { id, name, role, kind, tags, addresses, endpoint } = row;
  return {
    ...{ id, name, role, kind, status: row.status as NodeView['status'], tags: [...tags] },
    ...{ addresses: [...addresses], endpoint, disabled: row.disabledAt !== null, home: parts.homeOf(id) ?? null },
    ...(seen ?? UNSEEN),
    online: seen?.online ?? (kind === 'vanilla' && row.lastSeenAt === null ? null : false),
    lastSeenAt: seen?.lastSeenAt ?? row.lastSeenAt?.toISOString() ?? null,
    version: seen?.version ?? row.agentVersion,
    warnings: warningsOf(row, parts),
    ...(traffic && { traffic: node?.history?.minutes(moment.unix) ?? [] }),
  };
}

const UNSEEN = {
  ...{ nat: null, reflexive: [], rxRate: 0, txRate: 0 },
  paths: { direct: 0, relay: 0, bounce: 0, none: 0 },
};

function warningsOf(row: MemberRow, parts: TopologyParts): NodeView['warnings'] {
  const { network, moment, telemetry } = parts;
  const warnings: NodeView['warnings'] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  const clashes = parts.lanClashesOf(row.id);
  if (clashes.length > 0) warn('lan-clash', `its host is also in ${clashes.join(', ')}, which overlaps this network`);
  if (parts.isUnavailable(row.id)) warn('unavailable', 'held for dead: nobody is homed here until it is back');
  if (row.cloneNoticedAt) warn('clone', 'a second copy of its state directory has connected: stop one of them');
  if (row.keyExpiresAt !== undefined && row.status === 'active') {
    const left = row.keyExpiresAt - moment.unix;
    if (left < keyWarningMs(network.keyExpiryMs))
      warn('key-expiring', `its key expires at ${new Date(row.keyExpiresAt).toISOString()}: rotate it or extend it`);
  }
  if (telemetry?.nodes.get(row.id)?.nat?.udp === false)
    warn('udp-blocked', 'UDP does not get out of its network: its paths are relayed over TLS');
  return warnings;
}
