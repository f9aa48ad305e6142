import type { NetworkId, NodeId, SecretKey } from '@warren/base';
import type { Actor, NodeRow } from './store-api.js';

/** An API key without its secret. `lastUsedAt` is exact to a minute. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  /** `admin`: everything. */
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** That a node and another one have a preshared key; never the key. */
export interface PresharedKeyRow {
  readonly peerId: NodeId;
  /** Of the other one. */
  readonly name: string;
  readonly createdAt: Date;
}

/** The part of the store that knows API keys, preshared keys and config keys. */
export interface StoreKeys {
  /** What it may do is the caller's to say and to enforce; null: it never expires. */
  createApiKey(
    name: string,
    input: { scopes: readonly string[]; expiresAt: Date | null },
    actor: Actor,
  ): Promise<{ key: ApiKeyRow; secret: string }>; // bad-request
  listApiKeys(): Promise<readonly ApiKeyRow[]>;
  deleteApiKey(id: string, actor: Actor): Promise<void>; // not-found
  /** The key's row if the bearer secret is right, an expired key's, too. */
  checkApiKey(secret: string): Promise<ApiKeyRow | undefined>;

  /** Gives a pair, of which one is a vanilla member, a preshared key; absent: a random one. Sealed at rest. */
  setPresharedKey(pair: readonly [NodeId, NodeId], key: SecretKey | undefined, actor: Actor): Promise<PresharedKeyRow>; // not-found, not-vanilla, node-revoked, bad-request
  deletePresharedKey(pair: readonly [NodeId, NodeId], actor: Actor): Promise<void>; // not-found
  listPresharedKeys(id: NodeId): Promise<readonly PresharedKeyRow[]>; // not-found
  /** The keys themselves, by `pairId`: for the compiler. */
  presharedKeys(network: NetworkId): Promise<ReadonlyMap<string, SecretKey>>;

  /** A secret that reads this node's files and nothing else, returned once and kept hashed; the one before it is good no more. */
  createConfigKey(id: NodeId, actor: Actor): Promise<{ node: NodeRow; secret: string }>; // not-found, node-revoked
  deleteConfigKey(id: NodeId, actor: Actor): Promise<void>; // not-found
  /** The node whose config key this is, whatever its status. */
  checkConfigKey(secret: string): Promise<NodeRow | undefined>;
  /** Since when the node has the config key that it has now; null: none. */
  configKeySince(id: NodeId): Promise<Date | null>;
}
