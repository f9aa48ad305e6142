import {
  addressBits,
  type HostPort,
  type IpAddress,
  ipFamily,
  type Prefix,
  parseEndpoint,
  prefixContains,
  prefixLength,
} from '@warren/base';
import type { Role } from '../model.js';
import { forwards, mayBeLearned } from './file-settings.js';
import { holds } from './import-cidrs.js';
import { hostAddresses, type ImportMember, type Mention, namesOf } from './import-members.js';
import type { ImportReport } from './import-plan.js';

/** Gives every member a name that no other has. */
export function nameMembers(members: readonly ImportMember[], report: ImportReport): Map<ImportMember, string> {
  const names = new Map<ImportMember, string>();
  const taken = new Set<string>();
  for (const member of members) {
    const candidates = namesOf(member);
    const name = candidates.find((candidate) => !taken.has(candidate)) ?? numbered(candidates[0], taken);
    taken.add(name);
    names.set(member, name);
    const { source, mentions } = member;
    const given = source?.conf.interface.name ?? mentions.find(({ peer }) => peer.name)?.peer.name;
    const file = source?.file ?? mentions[0]?.source.file;
    if (given !== undefined && given !== name) {
      report.add(
        'not-carried-over',
        `the name ${JSON.stringify(given)} is ${name} here: names are one label, each once`,
        file,
      );
    } else if (candidates.length === 0) {
      report.add(
        'completed',
        `no file names the node that is ${name} now: rename it with \`warren node rename\``,
        file,
      );
    }
  }
  return names;
}

function numbered(name: string | undefined, taken: ReadonlySet<string>): string {
  for (let number = name === undefined ? 1 : 2; ; number++) {
    const tried = `${(name ?? 'node').slice(0, 56)}-${number}`;
    if (!taken.has(tried)) return tried;
  }
}

/** The addresses that files give a member; none when they do not say. */
export function addressesOf(member: ImportMember, cidrs: readonly Prefix[], report: ImportReport): IpAddress[] {
  const { source, mentions } = member;
  const isInside = (address: IpAddress): boolean => cidrs.some((cidr) => prefixContains(cidr, address));
  const all = source ? source.conf.interface.addresses.map(({ address }) => address) : hostAddresses(mentions);
  const addresses = [...new Set(all.filter(isInside))].sort((a, b) => ipFamily(a) - ipFamily(b));
  if (!source) return addresses;
  for (const address of all.filter((one) => !isInside(one))) {
    report.add('not-carried-over', `Address ${address} is not in the network`, source.file);
  }
  for (const { source: by, peer, line } of mentions) {
    const others = hostAddresses([{ source: by, peer, line }]).filter(
      (one) => isInside(one) && !addresses.includes(one),
    );
    for (const address of others) {
      const message = `gives ${address} to a host whose own file, ${source.file}, does not have it`;
      report.add('not-carried-over', message, by.file, line);
    }
  }
  return addresses;
}

/** How others reach a member: what most files say. */
export function endpointOf(member: ImportMember, report: ImportReport): HostPort | undefined {
  const dialled = member.mentions.filter(({ peer }) => peer.endpoint !== undefined);
  const real = dialled.filter((mention) => !isLearned(member, mention));
  for (const { source, line } of dialled.filter((mention) => !real.includes(mention))) {
    const message = 'this Endpoint was learned (SaveConfig) and is left out: the host has no port of its own';
    report.add('not-carried-over', message, source.file, line);
  }
  const counts = new Map<HostPort, number>();
  for (const { peer } of real) counts.set(peer.endpoint!, (counts.get(peer.endpoint!) ?? 0) + 1);
  const [chosen] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  for (const { source, line, peer } of real.filter((mention) => mention.peer.endpoint !== chosen)) {
    const message = `Endpoint ${peer.endpoint}: other files have ${chosen}, and a node has one`;
    report.add('not-carried-over', message, source.file, line);
  }
  return chosen;
}

/** A host that listens where it was heard from, or that routes for others, is one to dial all the same. */
function isLearned({ source }: ImportMember, { source: by, peer }: Mention): boolean {
  if (!mayBeLearned(by.conf, peer)) return false;
  if (source) return source.conf.interface.listenPort !== parseEndpoint(peer.endpoint!)?.port;
  return !peer.allowedIps.some((prefix) => prefixLength(prefix) < addressBits(prefix));
}

/** The part that a member plays in the files. */
export function roleOf(
  member: ImportMember,
  endpoint: HostPort | undefined,
  cidrs: readonly Prefix[],
  someRelay: boolean,
): Role {
  const { source } = member;
  const listens = (source?.conf.interface.listenPort ?? 0) > 0;
  if (relays(member, cidrs)) return 'bounce';
  if (source && forwards(source) && (endpoint !== undefined || (listens && !someRelay))) return 'bounce';
  const callers = listens ? source!.conf.peers.filter((peer) => peer.endpoint === undefined).length : 0;
  // Whom all others dial, and nobody else can be dialled: what they say to each other goes through it.
  if (callers > 1 && !someRelay && callers === source!.conf.peers.length) return 'bounce';
  // Peers that it cannot dial have to dial it.
  return endpoint !== undefined || callers > 0 ? 'direct' : 'client';
}

/** Whether others send it a whole prefix of the network, or everything. */
export const relays = ({ mentions }: ImportMember, cidrs: readonly Prefix[]): boolean =>
  mentions.some(({ peer }) => peer.allowedIps.some((prefix) => cidrs.some((cidr) => holds(prefix, cidr))));
