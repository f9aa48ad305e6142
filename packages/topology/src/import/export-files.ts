import type { NodeId, PublicKey } from '@warren/base';
import { decide } from '../decide.js';
import type { Network, NetworkNode } from '../model.js';
import { compareText } from '../order.js';
import { peersOf } from '../peer-map.js';

/** One node's file. */
export interface ExportedFile {
  readonly id: NodeId;
  readonly name: string;
  readonly publicKey: PublicKey;
  /** With a placeholder for the private key, and `# PublicKey = …` so that an import needs no private key. */
  readonly text: string;
}

/**
 * Every node's wg-quick file, for a network without any agent: those that are agents are written as if they were vanilla
 * members, because what agents do between themselves (finding paths, relaying sealed packets) no file can say. In order of
 * name. `render` makes one file from the network and one of its nodes' peers.
 */
export function exportFiles(
  network: Network,
  render: (node: NetworkNode, peers: ReturnType<typeof peersOf>, network: Network) => string,
): ExportedFile[] {
  const nodes = [...network.nodes.values()].map(asVanilla);
  const plain: Network = { ...network, nodes: new Map(nodes.map((node) => [node.id, node])) };
  const facts = decide(plain);
  return nodes
    .sort((a, b) => compareText(a.name, b.name))
    .map((node) => {
      const text = render(node, peersOf(plain, facts, node.id), plain);
      return { id: node.id, name: node.name, publicKey: node.publicKey, text: withPublicKey(text, node.publicKey) };
    });
}

function asVanilla({
  record: _record,
  previousKey: _previous,
  unavailable: _unavailable,
  ...node
}: NetworkNode): NetworkNode {
  return { ...node, kind: 'vanilla' };
}

/** A comment behind the head, where `readAnnotations` finds it. */
const withPublicKey = (text: string, key: PublicKey): string =>
  text.replace(/^\[Interface\]\n(?:# Name = .*\n)?/, (head) => `${head}# PublicKey = ${key}\n`);
