import { type NetworkId, type NodeId, SecretKey } from '@warren/base';
import type { Transaction } from './database.js';
import { open, seal } from './secrets.js';

/** The lesser id first, as rows have them. */
export const inOrder = (a: NodeId, b: NodeId): readonly [NodeId, NodeId] => (a < b ? [a, b] : [b, a]);

/** Bound to its pair, so that rows cannot be exchanged. */
const labelOf = (a: NodeId, b: NodeId): string => `preshared-key ${inOrder(a, b).join(' ')}`;

/** The preshared key of two nodes, sealed for its row. */
export const sealPairKey = (sealingKey: Uint8Array, a: NodeId, b: NodeId, key: SecretKey): Uint8Array<ArrayBuffer> =>
  seal(sealingKey, labelOf(a, b), key.expose());

/** What `sealPairKey` sealed. @throws WarrenError `sealing-key-wrong`. */
export const openPairKey = (sealingKey: Uint8Array, a: NodeId, b: NodeId, sealed: Uint8Array): SecretKey =>
  new SecretKey(open(sealingKey, labelOf(a, b), sealed));

/** Writes the preshared key of a pair that has none. */
export async function addPairKey(
  tx: Transaction,
  sealingKey: Uint8Array,
  networkId: NetworkId,
  pair: { readonly a: NodeId; readonly b: NodeId; readonly key: SecretKey },
): Promise<void> {
  const [nodeA, nodeB] = inOrder(pair.a, pair.b);
  const sealed = sealPairKey(sealingKey, nodeA, nodeB, pair.key);
  await tx.presharedKey.create({ data: { networkId, nodeA, nodeB, sealed } });
}
