import type { HostPort } from '@warren/base';
import type { SignalServerConfig } from '@warren/dataplane';
import type { NatBehaviour, NatDiscoveryResult } from '@warren/stun';
import type { NatStatus, ServerStatus } from '../daemon/status-types.js';
import { type DirectPaths, judgeDirectPaths } from './direct-paths.js';
import type { Discovery } from './discover.js';
import { findingOf, reflexiveOf } from './finding.js';
import type { TlsFailure, TlsProbe } from './tls-probe.js';

/** The JSON of `agent netcheck` (docs/operate.md, “JSON for scripts”): names here are a contract with scripts. */
export interface NetcheckReport {
  /** Whether UDP gets out and back; false: every server was silent. */
  readonly udp: boolean | null;
  /** No server answers over UDP, but one does over TLS. */
  readonly udpBlocked: boolean;
  /** Somebody else answers TLS in the servers' place. */
  readonly intercepted: boolean;
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  readonly hairpinning: boolean | null;
  /** Longest silence that a UDP binding survived, seconds, as the running agent measured it; null: no NAT, or not known (yet). */
  readonly bindingLifetimeS: number | null;
  /** `address:port` of a socket made for this check, as servers saw it; both families. */
  readonly reflexive: readonly string[];
  readonly ipv4: FamilyReport;
  readonly ipv6: FamilyReport;
  /** What the running agent has got from the router; without one what a trial got, which is given back. */
  readonly portMapping: NatStatus['portMapping'];
  readonly servers: readonly ServerReport[];
  readonly directPaths: DirectPaths;
}

export interface FamilyReport {
  /** Whether a packet went out and its answer came back; null: no server to ask over it. */
  readonly usable: boolean | null;
  /** Addresses of this host. */
  readonly addresses: readonly string[];
  readonly reflexive: readonly string[];
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
}

export interface ServerReport {
  readonly id: string;
  readonly name: string;
  /** Whether it is this host's own; then it is not asked. */
  readonly self: boolean;
  /** Whether the running agent relays through it first; null: no agent runs. */
  readonly home: boolean | null;
  /** Milliseconds; null: silent. Absent family: it has no such address, or we have none. */
  readonly udp: {
    readonly endpoint: HostPort | null;
    readonly ipv4Ms?: number | null;
    readonly ipv6Ms?: number | null;
  };
  readonly tls: readonly {
    readonly endpoint: HostPort;
    readonly rttMs: number | null;
    readonly failure: TlsFailure | null;
  }[];
}

export interface Observed {
  readonly servers: readonly SignalServerConfig[];
  readonly discovery: Discovery;
  /** In the order of `servers`, one for each of a server's addresses. */
  readonly tls: readonly (readonly TlsProbe[])[];
  readonly addresses: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] };
  /** This node's id, which is that of its server if it has one. */
  readonly own: string;
  readonly portMapping: NatStatus['portMapping'];
  readonly bindingLifetimeS: number | null;
  /** Of the running agent; undefined: none runs. */
  readonly agentServers: readonly ServerStatus[] | undefined;
}

export function describeNetcheck(observed: Observed): NetcheckReport {
  const { discovery, tls, portMapping } = observed;
  const finding = findingOf(discovery);
  const probes = tls.flat();
  const overTls = probes.some(({ failure }) => failure === null);
  const chosen = [discovery.ipv4, discovery.ipv6].find((result) => result?.udp);
  const ipv6 = describeFamily(discovery.ipv6, observed.addresses.ipv6);
  return {
    udp: finding.udp,
    udpBlocked: finding.udp === false && overTls,
    intercepted: probes.some(({ failure }) => failure === 'intercepted'),
    mapping: finding.mapping,
    filtering: finding.filtering,
    hairpinning: chosen?.hairpinning ?? null,
    bindingLifetimeS: observed.bindingLifetimeS,
    reflexive: finding.reflexive,
    ipv4: describeFamily(discovery.ipv4, observed.addresses.ipv4),
    ipv6,
    portMapping,
    servers: observed.servers.map((server, index) => describeServer(server, tls[index] ?? [], observed)),
    directPaths: judgeDirectPaths({
      ...finding,
      overTls,
      ipv6: ipv6.usable === true,
      portMapped: portMapping !== null && !portMapping.doubleNat,
    }),
  };
}

function describeFamily(result: NatDiscoveryResult | undefined, addresses: readonly string[]): FamilyReport {
  return {
    usable: addresses.length === 0 ? false : (result?.udp ?? null),
    addresses,
    reflexive: result ? reflexiveOf(result) : [],
    mapping: result?.mapping ?? 'unknown',
    filtering: result?.filtering ?? 'unknown',
  };
}

function describeServer(server: SignalServerConfig, tls: readonly TlsProbe[], observed: Observed): ServerReport {
  const rtt = (result: NatDiscoveryResult | undefined): number | null | undefined => {
    const entry = result?.servers.find(({ id }) => id === server.id);
    return entry && (entry.rttMs === undefined ? null : Math.round(entry.rttMs * 10) / 10);
  };
  const [ipv4Ms, ipv6Ms] = [rtt(observed.discovery.ipv4), rtt(observed.discovery.ipv6)];
  const known = observed.agentServers?.find(({ id }) => id === server.id);
  return {
    id: server.id,
    name: server.name,
    self: server.id === observed.own,
    home: observed.agentServers ? (known?.home ?? false) : null,
    udp: {
      endpoint: server.udp ?? null,
      ...(ipv4Ms !== undefined && { ipv4Ms }),
      ...(ipv6Ms !== undefined && { ipv6Ms }),
    },
    tls: tls.map(({ endpoint, rttMs, failure }) => ({ endpoint, rttMs, failure })),
  };
}
