import type { FamilyReport, NetcheckReport, ServerReport } from '../netcheck/report.js';
import type { TlsFailure } from '../netcheck/tls-probe.js';
import { alignColumns } from './render-status.js';

const TLS_FAILURES: Readonly<Record<TlsFailure, string>> = {
  silent: 'no answer',
  refused: 'refused',
  intercepted: 'SOMEBODY ELSE ANSWERS',
  'no-relay': 'no relay there',
  unresolved: 'name has no address',
};

/** `agent netcheck` for people: findings first, then what they mean. */
export function renderNetcheck(report: NetcheckReport): string {
  const lines = [
    `UDP           ${udpText(report)}`,
    `NAT mapping   ${mappingText(report)}`,
    `NAT filtering ${filteringText(report)}`,
    `hairpinning   ${yesNo(report.hairpinning, 'not found out')}`,
    ...bindingLines(report),
    `IPv4          ${familyText(report.ipv4)}`,
    `IPv6          ${familyText(report.ipv6)}`,
    `port mapping  ${portMappingText(report)}`,
  ];
  if (report.intercepted) {
    lines.push('', 'Somebody else answers TLS in the place of a server: a sign-in page, or a firewall that opens TLS.');
    lines.push('Sign in, or ask whoever runs this network to let TLS to the servers through unopened.');
  }
  return [...lines, '', serverTable(report.servers), '', ...report.directPaths.meaning].join('\n');
}

function udpText({ udp, udpBlocked }: NetcheckReport): string {
  if (udp === null) return 'not tried: no server to ask';
  if (udp) return 'works';
  return udpBlocked ? 'BLOCKED: no server answers over UDP, though TLS works' : 'NO ANSWER, over TLS neither';
}

function mappingText({ mapping }: NetcheckReport): string {
  if (mapping === 'none') return 'none: this host has a public address';
  const means = {
    'endpoint-independent': 'one outer port for all destinations',
    'address-dependent': 'another outer port for each destination address',
    'address-and-port-dependent': 'another outer port for each destination',
    unknown: 'not found out',
  } as const;
  return `${mapping} (${means[mapping]})`;
}

function filteringText({ filtering }: NetcheckReport): string {
  const means = {
    none: 'anybody may send to us',
    'endpoint-independent': 'anybody may send to a port that we use',
    'address-dependent': 'only addresses that we sent to may answer',
    'address-and-port-dependent': 'only addresses and ports that we sent to may answer',
    unknown: 'not found out',
  } as const;
  return `${filtering} (${means[filtering]})`;
}

/** Only where it is known: it takes the running agent minutes. */
function bindingLines({ bindingLifetimeS: seconds }: NetcheckReport): string[] {
  if (seconds === null) return [];
  const text = seconds === 0 ? 'forgotten within 10 s without traffic' : `kept at least ${seconds} s without traffic`;
  return [`NAT bindings  ${text}`];
}

function familyText({ usable, addresses, reflexive }: FamilyReport): string {
  if (addresses.length === 0) return 'this host has no address';
  const here = addresses.join(' ');
  if (usable === null) return `${here}; not tried, no server has an address of this family`;
  return usable ? `works: ${here}, seen from outside as ${reflexive.join(' ')}` : `NO ANSWER: ${here}`;
}

function portMappingText({ portMapping }: NetcheckReport): string {
  if (portMapping) {
    const behind = portMapping.doubleNat ? ', but behind another NAT' : '';
    return `${portMapping.protocol}: the router forwards ${portMapping.external} to us${behind}`;
  }
  return 'none: no router here maps ports by PCP, NAT-PMP or UPnP, or it was told not to';
}

function serverTable(servers: readonly ServerReport[]): string {
  const rows = servers.map(({ name, self, home, udp, tls }) => [
    home ? `${name} (home)` : name,
    udp.endpoint ?? '',
    udp.endpoint === null ? 'none' : self ? 'this host itself' : latencies(udp),
    tls
      .map(({ endpoint, rttMs, failure }) => `${endpoint} ${failure ? TLS_FAILURES[failure] : `${rttMs} ms`}`)
      .join(', ') || 'none',
  ]);
  return alignColumns([['SIGNAL SERVER', 'UDP ADDRESS', 'UDP', 'TLS'], ...rows]);
}

function latencies({ ipv4Ms, ipv6Ms }: ServerReport['udp']): string {
  const one = (name: string, ms: number | null | undefined): string[] =>
    ms === undefined ? [] : [ms === null ? `${name} no answer` : `${name} ${ms} ms`];
  return [...one('IPv4', ipv4Ms), ...one('IPv6', ipv6Ms)].join(', ') || 'name has no address';
}

const yesNo = (value: boolean | null, unknown: string): string => (value === null ? unknown : value ? 'yes' : 'no');
