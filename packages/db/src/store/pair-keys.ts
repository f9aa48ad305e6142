import type { NetworkId } from '@warren/base';
import { type PlannedPresharedKey, pairId } from '@warren/topology';
import type { Transaction } from './database.js';
import { plain } from './rows.js';
import { seal } from './secrets.js';

/** Writes the preshared key of a pair that has none, sealed. */
export async function addPairKey(
  tx: Transaction,
  sealingKey: Uint8Array,
  networkId: NetworkId,
  { a, b, key }: PlannedPresharedKey,
): Promise<void> {
  const pair = pairId(a, b);
  const [nodeA, nodeB] = pair.split(' ') as [string, string];
  // Bound to its pair, so that rows cannot be exchanged.
  const sealed = plain(seal(sealingKey, `preshared-key ${pair}`, key.expose()));
  await tx.presharedKey.create({ data: { networkId, nodeA, nodeB, sealed } });
}
