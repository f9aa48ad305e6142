import type { NetworkId, NodeId, PublicKey } from '@warren/base';
import type { SignedRecord } from '@warren/topology';
import type { Actor, NetworkRow, NodeRow } from './store-api.js';

/** Another WireGuard key for an agent. The caller has verified the record's signature and the possession of the key. */
export interface KeyRotation {
  readonly nodeId: NodeId;
  readonly publicKey: PublicKey;
  readonly record: SignedRecord;
  /** That of the record. */
  readonly generation: number;
  /** The key that the caller saw: another one meanwhile is `key-changed`. */
  readonly replaces: PublicKey;
  /** The old key is in wrong hands: it is banned, and nobody accepts it any more. */
  readonly compromised: boolean;
}

/** A node whose previous key is still accepted. */
export interface KeyOverlap {
  readonly nodeId: NodeId;
  readonly networkId: NetworkId;
  readonly previous: PublicKey;
  /** Milliseconds until that has to end, by the database's clock; 0 or less: now. */
  readonly leftMs: number;
}

/** The part of the store that changes WireGuard keys of agents; as `Store` has it. */
export interface KeyStore {
  /** The key before it is accepted for ten minutes more, unless compromised. The same record again: the same answer. */
  rotateKey(input: KeyRotation, actor: Actor): Promise<{ node: NodeRow; network: NetworkRow }>; // not-found, vanilla-key, node-not-active, key-banned, key-taken, key-changed
  /** The operator wants another key: sets `rotateGeneration` beyond that of the record, which `generationOf` reads. */
  requestRotation(id: NodeId, generationOf: (record: SignedRecord) => number, actor: Actor): Promise<NodeRow>; // not-found, vanilla-key, node-not-active
  /** From then on `previous` is accepted by nobody. False, and no revision: it was not. */
  endKeyOverlap(id: NodeId, previous: PublicKey, actor: Actor): Promise<boolean>; // not-found
  keyOverlaps(): Promise<readonly KeyOverlap[]>;
}
