import { equalBytes, type NodeId, type PublicKey } from '@warren/base';
import { pairId } from '../model.js';
import type { ImportMember, Mention } from './import-members.js';
import type { ImportReport, PlannedPresharedKey } from './import-plan.js';

/** The preshared keys of pairs. Both ends' files must say the same; a file that says nothing is completed. */
export function findPresharedKeys(
  members: readonly ImportMember[],
  ids: ReadonlyMap<PublicKey, NodeId>,
  report: ImportReport,
): PlannedPresharedKey[] {
  const pairs = new Map<string, { mention: Mention; planned: PlannedPresharedKey }>();
  const files = new Map(members.flatMap(({ source }, index) => (source ? [[source, index] as const] : [])));
  const mentions = members.flatMap((member) => member.mentions);
  // As people read them: file by file.
  mentions.sort((a, b) => files.get(a.source)! - files.get(b.source)!);
  for (const mention of mentions) {
    const { peer, source, line } = mention;
    if (!peer.presharedKey) continue;
    const a = ids.get(source.publicKey)!;
    const b = ids.get(peer.publicKey)!;
    const known = pairs.get(pairId(a, b));
    if (!known) {
      pairs.set(pairId(a, b), { mention, planned: { a, b, key: peer.presharedKey } });
    } else if (!equalBytes(known.planned.key.expose(), peer.presharedKey.expose())) {
      const other = `${known.mention.source.file}, line ${known.mention.line}`;
      report.add(
        'conflict',
        `the PresharedKey is another one than that of ${other}: one of them is wrong`,
        source.file,
        line,
      );
    }
  }
  for (const { peer, source, line } of mentions) {
    const pair = pairs.get(pairId(ids.get(source.publicKey)!, ids.get(peer.publicKey)!));
    if (pair && !peer.presharedKey) {
      report.add('completed', `the PresharedKey, as ${pair.mention.source.file} has it`, source.file, line);
    }
  }
  return [...pairs.values()].map(({ planned }) => planned);
}
