import { type HostPort, type IpAddress, ipFamily, type NodeId, networkId, type Prefix } from '@warren/base';
import { lowestFree, spansOf } from '../addressing.js';
import { DEFAULT_MTU, type Network, type NetworkNode, type Role } from '../model.js';
import { compareText } from '../order.js';
import { settingsOf } from './file-settings.js';
import { findCidrs } from './import-cidrs.js';
import { reportDifferences } from './import-differences.js';
import { type ImportMember, readMembers } from './import-members.js';
import { type ImportFile, type ImportOptions, type ImportPlan, ImportReport, type PlannedNode } from './import-plan.js';
import { addressesOf, endpointOf, nameMembers, relays, roleOf } from './member-facts.js';
import { chooseIds } from './node-ids.js';
import { findPresharedKeys } from './preshared-pairs.js';

/**
 * Reads the wg-quick files of a running network as one network: who is in it, with which part, key and addresses, and
 * what the files leave out, contradict, or hold that a network here cannot. Never throws for what is in the files; the
 * order of the files does not matter to what is planned, only to who is named first.
 */
export function planImport(files: readonly ImportFile[], options: ImportOptions): ImportPlan {
  const report = new ImportReport();
  const members = readMembers(files, report);
  if (files.length === 0) report.add('conflict', 'there is no file to import');
  const cidrs = members.length === 0 ? [] : findCidrs(members, options.cidrs, report);
  if (report.hasConflict) return { cidrs, nodes: [], presharedKeys: [], report: report.notes() };
  const nodes = planNodes(members, cidrs, options, report);
  const ids = new Map([...nodes].map(([member, node]) => [member.publicKey, node.id]));
  checkAddresses(nodes, report);
  const presharedKeys = findPresharedKeys(members, ids, report);
  if (!report.hasConflict) {
    const sources = [...nodes].flatMap(([{ source }, { id }]) => (source ? [{ id, source }] : []));
    reportDifferences(networkOf(cidrs, [...nodes.values()]), sources, report);
  }
  const sorted = [...nodes.values()].sort((a, b) => compareText(a.name, b.name));
  return { cidrs, nodes: sorted, presharedKeys, report: report.notes() };
}

function planNodes(
  members: readonly ImportMember[],
  cidrs: readonly Prefix[],
  options: ImportOptions,
  report: ImportReport,
): Map<ImportMember, PlannedNode> {
  const names = nameMembers(members, report);
  const addresses = new Map(members.map((member) => [member, addressesOf(member, cidrs, report)]));
  const taken = new Set([...addresses.values()].flat());
  const someRelay = members.some((member) => relays(member, cidrs));
  const planned = new Map<ImportMember, Omit<PlannedNode, 'id'>>();
  for (const member of members) {
    const name = names.get(member)!;
    const endpoint = options.endpoints?.get(name) ?? endpointOf(member, report);
    const role = roleOf(member, endpoint, cidrs, someRelay);
    if (role !== 'client' && endpoint === undefined) sayEndpointMissing(member, name, role, report);
    const given = addresses.get(member)!;
    planned.set(member, {
      ...{ name, role, publicKey: member.publicKey },
      addresses: given.length > 0 ? given : freeAddresses(member, name, cidrs, taken, report),
      ...(endpoint !== undefined && { endpoint }),
      settings: member.source ? settingsOf(member.source, role, report) : {},
      ...(member.source && { file: member.source.file }),
    });
  }
  sayUnknownNames(options.endpoints, new Set(names.values()), report);
  const ids = chooseIds(planned, cidrs, options.makeId);
  return new Map(Array.from(planned, ([member, node]) => [member, { id: ids.get(member.publicKey)!, ...node }]));
}

function sayUnknownNames(
  endpoints: ReadonlyMap<string, HostPort> | undefined,
  names: ReadonlySet<string>,
  report: ImportReport,
): void {
  for (const name of endpoints?.keys() ?? []) {
    if (!names.has(name)) report.add('conflict', `an endpoint was given for ${name}, which no file names`);
  }
}

function sayEndpointMissing(member: ImportMember, name: string, role: Role, report: ImportReport): void {
  const what = role === 'bounce' ? 'relays for others' : 'waits for others to dial it';
  const message = `${name} ${what}, but no file says how they reach it: give --endpoint ${name}=HOST:PORT`;
  report.add('not-carried-over', message, member.source?.file ?? member.mentions[0]?.source.file);
}

/** For a host whose addresses no file tells. */
function freeAddresses(
  member: ImportMember,
  name: string,
  cidrs: readonly Prefix[],
  taken: Set<IpAddress>,
  report: ImportReport,
): IpAddress[] {
  const file = member.source?.file ?? member.mentions[0]?.source.file;
  const families = ([4, 6] as const).filter((family) => cidrs.some((cidr) => ipFamily(cidr) === family));
  const found = families.map((family) => lowestFree(spansOf({ cidrs, pools: [] }, family), taken)?.address);
  const addresses = found.filter((address) => address !== undefined);
  for (const address of addresses) taken.add(address);
  if (addresses.length < families.length) {
    report.add('conflict', `no file says the address of ${name}, and none is free in ${cidrs.join(', ')}`, file);
  } else {
    report.add('completed', `no file says the address of ${name}: it is ${addresses.join(', ')} here`, file);
  }
  return addresses;
}

/** Each address belongs to one node. */
function checkAddresses(nodes: ReadonlyMap<ImportMember, PlannedNode>, report: ImportReport): void {
  const owners = new Map<IpAddress, PlannedNode>();
  for (const [{ source, mentions }, node] of nodes) {
    for (const address of node.addresses) {
      const owner = owners.get(address);
      owners.set(address, owner ?? node);
      if (!owner) continue;
      const message = `${address} is the address of ${owner.name} and of ${node.name}, which have different keys`;
      const mention = mentions[0];
      if (source) report.add('conflict', message, source.file);
      else report.add('conflict', message, mention?.source.file, mention?.line);
    }
  }
}

/** As it will be at the control plane: members without agents. */
function networkOf(cidrs: readonly Prefix[], nodes: readonly PlannedNode[]): Network {
  const members = nodes.map(({ file: _, ...node }): [NodeId, NetworkNode] => [node.id, { ...node, kind: 'vanilla' }]);
  return { id: networkId('import'), name: 'import', cidrs, mtu: DEFAULT_MTU, nodes: new Map(members) };
}
