import { type NodeId, parseEndpoint } from '@warren/base';
import { type NatReport, PathKind, type PeerReport } from '@warren/proto';
import type { NetworkNode } from '@warren/topology';
import type { LinkKind, PathClaim } from './link.js';

/** What an agent says, checked: it is believed what it sees, but neither how much of it nor in what shape. */

/** Peers of one report that are looked at. */
export const MOST_PEERS = 2_000;
const LONGEST_ENDPOINT = 64;
const LONGEST_NAME = 64;
const LONGEST_REASON = 512;
const MOST_NAT_ENTRIES = 16;
const MOST_SHARED = 4_096;
const BEHAVIOURS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent', 'none'];
const PORT_MAPPINGS = ['pcp', 'nat-pmp', 'upnp'];

const KINDS: Readonly<Partial<Record<PathKind, LinkKind>>> = {
  [PathKind.PATH_KIND_UNSPECIFIED]: 'none',
  [PathKind.PATH_KIND_DIRECT]: 'direct',
  [PathKind.PATH_KIND_RELAY]: 'relay',
  [PathKind.PATH_KIND_BOUNCE]: 'bounce',
};

/** Members of a network, whose ids a report may name. */
export type Members = ReadonlyMap<NodeId, Pick<NetworkNode, 'id' | 'kind'>>;

/** Keeps one copy of texts that thousands of reports have in common: names of servers, reasons. Forgets all when there are many. */
export class SharedTexts {
  readonly #texts = new Map<string, string>();

  of(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= MOST_SHARED) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}

/** What a report is read with. */
export interface Reading {
  /** Unix milliseconds. */
  readonly now: number;
  readonly texts: SharedTexts;
}

/**
 * One peer of a report. @param previous what was said of it before: what stays the same is kept, not copied
 * @returns why it is not taken instead.
 */
export function pathClaim(report: PeerReport, { now, texts }: Reading, previous?: PathClaim): PathClaim | 'malformed' {
  const kind = KINDS[report.kind];
  const endpoint = textOf(report.endpoint, LONGEST_ENDPOINT, previous?.endpoint);
  const via = textOf(report.via, LONGEST_NAME, previous?.via, texts);
  const reason = textOf(report.reason, LONGEST_REASON, previous?.reason, texts);
  if (!kind || endpoint === undefined || via === undefined || reason === undefined) return 'malformed';
  if (endpoint !== null && endpoint !== previous?.endpoint && !parseEndpoint(endpoint)) return 'malformed';
  // There are hundreds of thousands of these: what is spread takes twice the memory.
  return {
    kind,
    lan: report.lan,
    tls: report.tls,
    endpoint,
    via,
    reason,
    rttUs: report.rttUs,
    // Their clock may be ahead of ours; nothing began after now.
    sinceMs: Math.min(report.sinceMs, now),
    lastHandshakeMs: Math.min(report.lastHandshakeMs, now),
  };
}

/** Says the same of the path; counters and times of measurements aside. */
export const isSamePath = (a: PathClaim, b: PathClaim): boolean =>
  a.kind === b.kind &&
  a.lan === b.lan &&
  a.tls === b.tls &&
  a.endpoint === b.endpoint &&
  a.via === b.via &&
  a.reason === b.reason &&
  a.sinceMs === b.sinceMs;

/** What stands between an agent and the internet. */
export interface NatView {
  readonly mapping: string;
  readonly filtering: string;
  readonly udp: boolean | null;
  readonly reflexive: readonly string[];
  readonly portMapping: string | null;
  readonly homes: readonly string[];
}

/** Leaves out what is not as it should be, and counts it in `dropped`. */
export function natView(report: NatReport): { nat: NatView; dropped: number } {
  const reflexive = report.reflexive.filter((text) => text.length <= LONGEST_ENDPOINT && parseEndpoint(text));
  const homes = report.homes.filter((text) => text !== '' && textOf(text, LONGEST_NAME) !== undefined);
  const kept = { reflexive: reflexive.slice(0, MOST_NAT_ENTRIES), homes: homes.slice(0, MOST_NAT_ENTRIES) };
  const known = (text: string): string => BEHAVIOURS.find((one) => one === text) ?? 'unknown';
  const nat = {
    ...{ mapping: known(report.mapping), filtering: known(report.filtering), ...kept },
    udp: report.udp === 'yes' ? true : report.udp === 'no' ? false : null,
    portMapping: PORT_MAPPINGS.find((one) => one === report.portMapping) ?? null,
  };
  const given = report.reflexive.length + report.homes.length;
  return { nat, dropped: given - kept.reflexive.length - kept.homes.length };
}

/** A word from an agent for people: nothing that a terminal would obey. @returns undefined: not as it should be. */
export function shortText(text: string): string | null {
  return textOf(text, LONGEST_NAME) ?? null;
}

/** null: empty. @returns undefined for what is too long or cannot be shown. */
function textOf(
  text: string,
  longest: number,
  previous?: string | null,
  texts?: SharedTexts,
): string | null | undefined {
  if (text === '') return null;
  if (text === previous) return previous;
  if (text.length > longest || /\p{Cc}|\p{Cf}/u.test(text)) return undefined;
  return texts ? texts.of(text) : text;
}
