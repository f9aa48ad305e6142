import { addressBits, type IpAddress, type PublicKey, prefixAddress, prefixContains, prefixLength } from '@warren/base';
import { nodeNameFromHostname } from '../node-name.js';
import type { WgQuickConf, WgQuickPeer } from '../wg-quick.js';
import { isWgQuickProblem, parseWgQuick } from '../wg-quick-parse.js';
import { type ConfAnnotations, readAnnotations } from './conf-annotations.js';
import type { ImportFile, ImportReport } from './import-plan.js';

/** A file that could be read. */
export interface ImportSource {
  readonly file: string;
  readonly conf: WgQuickConf;
  readonly annotations: ConfAnnotations;
  /** Of the host whose file it is. */
  readonly publicKey: PublicKey;
}

/** A `[Peer]` section about a member, in somebody's file. */
export interface Mention {
  readonly source: ImportSource;
  readonly peer: WgQuickPeer;
  readonly line: number;
  /** What a comment calls it. */
  readonly hint?: string;
}

/** A host of the network, known by its key. */
export interface ImportMember {
  readonly publicKey: PublicKey;
  /** Its own file, if there is one. */
  readonly source?: ImportSource;
  readonly mentions: readonly Mention[];
}

const MAX_PEERS = 50_000;
const MAX_ADDRESSES = 10_000;
const MAX_MEMBERS = 5_000;

type UnkeyedSource = Omit<ImportSource, 'publicKey'> & { readonly publicKey?: PublicKey };

/** Who is in the files: those whose files they are, in their order, then those that only others name. */
export function readMembers(files: readonly ImportFile[], report: ImportReport): ImportMember[] {
  const unkeyed = files.flatMap((file): UnkeyedSource[] => {
    const conf = parseWgQuick(file.text);
    if (isWgQuickProblem(conf)) {
      report.add('conflict', conf.message, file.name, conf.line);
      return [];
    }
    const annotations = readAnnotations(file.text);
    const { publicKey } = annotations.interface;
    return [{ file: file.name, conf, annotations, ...(publicKey !== undefined && { publicKey }) }];
  });
  const sources = unkeyed.flatMap((source): ImportSource[] => {
    const publicKey = source.publicKey ?? keyFromOthers(source, unkeyed, report);
    return publicKey === undefined ? [] : [{ ...source, publicKey }];
  });
  const count = (size: (source: UnkeyedSource) => number): number => unkeyed.reduce((sum, one) => sum + size(one), 0);
  checkSize(
    '[Peer] sections',
    count(({ conf }) => conf.peers.length),
    MAX_PEERS,
    report,
  );
  checkSize(
    'addresses of interfaces',
    count(({ conf }) => conf.interface.addresses.length),
    MAX_ADDRESSES,
    report,
  );
  if (report.hasConflict) return [];
  const members = membersOf(sources, report);
  checkSize('hosts', members.length, MAX_MEMBERS, report);
  return members;
}

/** What is planned is compared with each other: files that hold more than any network would keep a control plane busy. */
function checkSize(what: string, count: number, most: number, report: ImportReport): void {
  if (count > most) report.add('conflict', `the files hold ${count} ${what}, and ${most} is the most that is imported`);
}

/** A file without a private key, such as an exported one: others' files say whose address it has. */
function keyFromOthers(
  source: UnkeyedSource,
  sources: readonly UnkeyedSource[],
  report: ImportReport,
): PublicKey | undefined {
  const owned = new Set(sources.map(({ publicKey }) => publicKey));
  const { addresses, name } = source.conf.interface;
  const peers = sources.filter((other) => other !== source).flatMap(({ conf }) => conf.peers);
  const isThis = (peer: WgQuickPeer): boolean =>
    (name !== undefined && peer.name === name) || addresses.some(({ address }) => isHostOf(peer, address));
  const found = new Set(
    peers.filter((peer) => !owned.has(peer.publicKey) && isThis(peer)).map((peer) => peer.publicKey),
  );
  if (found.size === 1) {
    const [key] = found;
    report.add('completed', 'the file has no key of its own: other files say which one it has', source.file);
    return key;
  }
  const message =
    'the file has no PrivateKey, and no other file says its public key: put `# PublicKey = …` under [Interface]';
  report.add('conflict', message, source.file, source.annotations.interface.line);
  return undefined;
}

const isHostOf = (peer: WgQuickPeer, address: IpAddress): boolean =>
  peer.allowedIps.some((prefix) => prefixLength(prefix) === addressBits(address) && prefixContains(prefix, address));

function membersOf(sources: readonly ImportSource[], report: ImportReport): ImportMember[] {
  const members = new Map<PublicKey, { publicKey: PublicKey; source?: ImportSource; mentions: Mention[] }>();
  for (const source of sources) {
    const known = members.get(source.publicKey);
    if (known) {
      const message = `${known.source!.file} has the same key: two hosts cannot share one, and one host needs one file only`;
      report.add('conflict', message, source.file, source.annotations.interface.line);
    } else {
      members.set(source.publicKey, { publicKey: source.publicKey, source, mentions: [] });
    }
  }
  for (const mention of sources.flatMap(mentionsIn)) {
    const { publicKey } = mention.peer;
    // A file may list its own host, as one that is made for all does: WireGuard ignores that.
    if (publicKey === mention.source.publicKey) continue;
    const member = members.get(publicKey) ?? { publicKey, mentions: [] };
    members.set(publicKey, member);
    member.mentions.push(mention);
  }
  return [...members.values()];
}

function mentionsIn(source: ImportSource): Mention[] {
  return source.conf.peers.map((peer, index) => {
    const { line, hint } = source.annotations.peers[index]!;
    return { source, peer, line, ...(hint !== undefined && { hint }) };
  });
}

/** Names that say nothing of the host: those of interfaces, and the folder that they usually are in. */
const NO_HOST = /^(wg-?\d*|wireguard|wgs\d*|tunnel\d*|vpn|etc|\.+)$/i;

/** What its host may be called, best first, not yet made to be unique. */
export function namesOf(member: ImportMember): string[] {
  const { source, mentions } = member;
  const own = [source?.conf.interface.name, source?.annotations.interface.hint];
  const given = mentions.flatMap(({ peer, hint }) => [peer.name, hint]);
  const endpoints = mentions.map(({ peer }) => peer.endpoint?.replace(/:\d+$/, ''));
  const hosts = endpoints.filter((host) => host !== undefined && !/^[\d.]+$|^\[/.test(host));
  return [...own, ...fileNames(source?.file), ...given, ...hosts].flatMap((name) => {
    const fitted = name === undefined ? undefined : nodeNameFromHostname(name);
    return fitted === undefined ? [] : [fitted];
  });
}

/** `hosts/laptop.conf` and `laptop/wg0.conf` are both the laptop's. */
function fileNames(path: string | undefined): string[] {
  const parts = (path ?? '').replace(/\.(conf|txt|cfg)$/i, '').split(/[/\\]/);
  const [last = '', folder = ''] = parts.reverse();
  // Installers call them `wg0-client-phone.conf`.
  return [last.replace(/^wg-?\d*[-_](client[-_])?/i, ''), folder]
    .filter((name) => name !== '' && !NO_HOST.test(name))
    .slice(0, 1);
}

/** The addresses that others' AllowedIPs give a member: host prefixes alone. */
export const hostAddresses = (mentions: readonly Mention[]): IpAddress[] => {
  const prefixes = mentions.flatMap(({ peer }) => peer.allowedIps);
  const hosts = prefixes.filter((prefix) => prefixLength(prefix) === addressBits(prefix));
  return [...new Set(hosts.map(prefixAddress))];
};
