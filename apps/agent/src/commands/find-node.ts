import { parseIpAddress, WarrenError } from '@warren/base';
import type { PeerStatus, Status } from '../daemon/status-types.js';

/** A node that a person named. */
export interface FoundNode {
  readonly name: string;
  readonly address: string;
  /** Undefined: it is this node itself. */
  readonly peer: PeerStatus | undefined;
}

/** Whether a network has a node of this name, id or address. */
export const hasNode = (status: Status, node: string): boolean =>
  [...status.peers, ...(status.node ? [status.node] : [])].some(matching(node));

function matching(node: string): (candidate: { name: string; id: string; addresses: readonly string[] }) => boolean {
  const address = parseIpAddress(node);
  return ({ name, id, addresses }) => name === node || id === node || (!!address && addresses.includes(address));
}

/** By name, id or address. @throws WarrenError `node-unknown` with the names that are nearest. */
export function findNode(status: Status, node: string): FoundNode {
  const address = parseIpAddress(node);
  const matches = matching(node);
  const peer = status.peers.find(matches);
  const found = peer ?? (status.node && matches(status.node) ? status.node : undefined);
  const chosen = address ?? found?.addresses[0];
  if (found && chosen) return { name: found.name, address: chosen, peer };
  const near = nearNames(
    node,
    status.peers.map(({ name }) => name),
  );
  const advice = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'see `agent peers`';
  const where = status.networks.length > 1 ? status.networks.join(', ') : status.network?.name;
  throw new WarrenError('node-unknown', `network ${where} has no node ${node}: ${advice}`);
}

/** As many names as are worth suggesting. */
const MAX_SUGGESTIONS = 3;
/** A distance is not computed for what nobody mistypes. */
const MAX_LENGTH = 64;

/** Names that begin with `text`, hold it, or differ from it by a few letters; nearest first. */
export function nearNames(text: string, names: readonly string[]): string[] {
  if (text === '' || text.length > MAX_LENGTH) return [];
  const wanted = text.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const scored = names.flatMap((name) => {
    const known = name.toLowerCase();
    if (known.startsWith(wanted)) return [{ name, score: 0 }];
    const score = editDistance(wanted, known.slice(0, MAX_LENGTH));
    if (score <= limit) return [{ name, score }];
    return known.includes(wanted) ? [{ name, score: limit + 1 }] : [];
  });
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, MAX_SUGGESTIONS).map(({ name }) => name);
}

/** Letters to insert, remove or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
