import type { SignalStats } from '@warren/signal';
import type { Hubs } from '../hub/hubs.js';
import { VERSION } from '../version.js';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The process and its open streams in Prometheus' text format (version 0.0.4). Anybody who reaches the HTTP address may
 * read it, so it names networks by id only and nodes not at all.
 */
export function renderMetrics(hubs: Hubs, relay: SignalStats): string {
  const usage = process.resourceUsage();
  const networks = hubs.overview();
  const perNetwork = (value: (network: (typeof networks)[number]) => number): Sample[] =>
    networks.map((network) => ({ labels: { network: network.id }, value: value(network) }));
  return [
    metric('warren_build_info', 'gauge', 'Version of the control plane', [{ labels: { version: VERSION }, value: 1 }]),
    metric(
      'warren_agents_connected',
      'gauge',
      'Open Sync streams',
      perNetwork(({ connected }) => connected),
    ),
    metric(
      'warren_network_nodes',
      'gauge',
      'Active members',
      perNetwork(({ nodes }) => nodes),
    ),
    metric(
      'warren_network_revision',
      'gauge',
      'Last revision that was sent',
      perNetwork(({ revision }) => revision),
    ),
    metric(
      'warren_sync_buffered_bytes',
      'gauge',
      'Bytes that wait for slow agents',
      perNetwork(({ buffered }) => buffered),
    ),
    ...relayMetrics(relay),
    metric('process_cpu_seconds_total', 'counter', 'User and system time', [
      { value: (usage.userCPUTime + usage.systemCPUTime) / 1e6 },
    ]),
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory', [{ value: process.memoryUsage.rss() }]),
    metric('process_start_time_seconds', 'gauge', 'Unix time of the start', [
      { value: Math.round(Date.now() / 1000 - process.uptime()) },
    ]),
  ].join('');
}

function relayMetrics({ sessions, relayedDatagrams, relayedBytes, drops }: SignalStats): string[] {
  const reasons = Object.entries(drops).map(([reason, value]) => ({ labels: { reason }, value }));
  return [
    metric('warren_signal_sessions', 'gauge', 'Agents registered at the signal server of this process', [
      { value: sessions },
    ]),
    metric('warren_signal_relayed_datagrams_total', 'counter', 'Sealed datagrams relayed', [
      { value: relayedDatagrams },
    ]),
    metric('warren_signal_relayed_bytes_total', 'counter', 'Bytes of those', [{ value: relayedBytes }]),
    metric('warren_signal_drops_total', 'counter', 'Datagrams that were not taken, by reason', reasons),
  ];
}

function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${text}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join()}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
