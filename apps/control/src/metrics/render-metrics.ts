import type { NodeCount, Store } from '@warren/db';
import type { SignalStats } from '@warren/signal';
import { Counter, Gauge } from 'prom-client';
import type { Hubs } from '../hub/hubs.js';
import type { Log } from '../log.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { VERSION } from '../version.js';
import type { Metrics } from './metrics.js';

/** What is looked at when somebody asks. */
export interface MetricSources {
  readonly hubs: Pick<Hubs, 'overview'>;
  readonly telemetry: Pick<Telemetry, 'linkCounts'>;
  readonly relay: { stats(): Promise<SignalStats> };
  readonly store: Pick<Store, 'nodeCounts'>;
  readonly log: Log;
}

/**
 * Everything in Prometheus' text format (version 0.0.4). Anybody who reaches the HTTP address may read it, so it names
 * networks by id only and nodes not at all. Without a database what only that knows is left out.
 */
export async function renderMetrics(metrics: Metrics, sources: MetricSources): Promise<string> {
  const gauges = gaugesOf(metrics);
  gauges.build.set({ version: VERSION }, 1);
  showHubs(gauges, sources.hubs);
  showLinks(gauges, sources.telemetry);
  showRelay(gauges, await sources.relay.stats());
  try {
    showNodes(gauges, sources.hubs, await sources.store.nodeCounts());
  } catch (error) {
    for (const gauge of [gauges.members, gauges.pending, gauges.expired, gauges.clones]) gauge.reset();
    sources.log.warn({ err: error }, 'metrics without the numbers of nodes: the database does not answer');
  }
  return metrics.registry.metrics();
}

type Gauges = ReturnType<typeof makeGauges>;
const made = new WeakMap<Metrics, Gauges>();

function gaugesOf(metrics: Metrics): Gauges {
  const gauges = made.get(metrics) ?? makeGauges(metrics);
  made.set(metrics, gauges);
  return gauges;
}

function makeGauges({ registry }: Metrics) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    build: gauge('warren_build_info', 'Version of the control plane', ['version']),
    connected: gauge('warren_agents_connected', 'Open Sync streams', ['network']),
    nodes: gauge('warren_network_nodes', 'Active members', ['network']),
    revision: gauge('warren_network_revision', 'Last revision that was sent', ['network']),
    buffered: gauge('warren_sync_buffered_bytes', 'Bytes that wait for slow agents', ['network']),
    members: gauge('warren_nodes', 'Nodes; whether vanilla members are online nobody knows', [
      'network',
      'status',
      'kind',
      'online',
    ]),
    pending: gauge('warren_approvals_pending', 'Nodes that wait for approval, or for their key', ['network']),
    expired: gauge('warren_nodes_expired', 'Nodes whose key has expired', ['network']),
    clones: gauge('warren_clones_noticed', 'Nodes of which a second copy was seen and not yet looked into', [
      'network',
    ]),
    clashes: gauge('warren_lan_clashes', 'Connected agents whose LAN clashes with the network', ['network']),
    links: gauge('warren_links', 'Links that connected agents report, by kind of path', ['network', 'kind']),
    sessions: gauge('warren_signal_sessions', 'Agents registered at the signal server of this process', []),
    datagrams: counter('warren_signal_relayed_datagrams_total', 'Sealed datagrams relayed', []),
    bytes: counter('warren_signal_relayed_bytes_total', 'Bytes of those', []),
    drops: counter('warren_signal_drops_total', 'Datagrams that were not taken, by reason', ['reason']),
  };
}

function showHubs(gauges: Gauges, hubs: MetricSources['hubs']): void {
  for (const gauge of [gauges.connected, gauges.nodes, gauges.revision, gauges.buffered, gauges.clashes]) gauge.reset();
  for (const { id: network, connected, nodes, revision, buffered, clashing } of hubs.overview()) {
    gauges.clashes.set({ network }, clashing);
    gauges.connected.set({ network }, connected);
    gauges.nodes.set({ network }, nodes);
    gauges.revision.set({ network }, revision);
    gauges.buffered.set({ network }, buffered);
  }
}

function showLinks(gauges: Gauges, telemetry: MetricSources['telemetry']): void {
  gauges.links.reset();
  for (const { id: network, links } of telemetry.linkCounts())
    for (const [kind, count] of Object.entries(links)) gauges.links.set({ network, kind }, count);
}

function showNodes(gauges: Gauges, hubs: MetricSources['hubs'], counts: readonly NodeCount[]): void {
  for (const gauge of [gauges.members, gauges.pending, gauges.expired, gauges.clones]) gauge.reset();
  const connected = new Map(hubs.overview().map((one) => [one.id, one]));
  for (const { networkId: network, status, kind, count, clones } of counts) {
    if (kind === 'vanilla') gauges.members.set({ network, status, kind, online: 'unknown' }, count);
    else {
      const here = connected.get(network);
      const streams = status === 'active' ? here?.activeConnected : status === 'pending' ? here?.otherConnected : 0;
      const online = Math.min(count, streams ?? 0);
      gauges.members.set({ network, status, kind, online: 'true' }, online);
      gauges.members.set({ network, status, kind, online: 'false' }, count - online);
    }
    if (status === 'pending') gauges.pending.inc({ network }, count);
    if (status === 'expired') gauges.expired.inc({ network }, count);
    if (status !== 'revoked') gauges.clones.inc({ network }, clones);
  }
}

function showRelay(gauges: Gauges, { sessions, relayedDatagrams, relayedBytes, drops }: SignalStats): void {
  gauges.sessions.set(sessions);
  // The signal server's worker counts; a counter here can only be begun anew.
  for (const counter of [gauges.datagrams, gauges.bytes, gauges.drops]) counter.reset();
  gauges.datagrams.inc(relayedDatagrams);
  gauges.bytes.inc(relayedBytes);
  for (const [reason, value] of Object.entries(drops)) gauges.drops.inc({ reason }, value);
}
