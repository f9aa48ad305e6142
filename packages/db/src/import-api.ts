import type { NetworkId, PublicKey } from '@warren/base';
import type { PlannedNode, PlannedPresharedKey } from '@warren/topology';
import type { Actor, NetworkRow, NodeRow } from './store-api.js';

/** A planned network and what it shall be called. */
export interface ImportInput {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly nodes: readonly PlannedNode[];
  readonly presharedKeys: readonly PlannedPresharedKey[];
}

/** What an import made; `created`: there was no network of that name. */
export interface Imported {
  readonly network: NetworkRow;
  readonly nodes: readonly NodeRow[];
  readonly created: boolean;
}

/** The part of `Store` by which a running WireGuard network moves in. */
export interface ImportStore {
  /**
   * Makes a network with all its vanilla members, or fills one of that name that has none; `cidrs` are then its prefixes. In
   * one transaction; sealed preshared keys with it.
   */
  importNetwork(input: ImportInput, actor: Actor): Promise<Imported>; // network-not-empty, name-taken, key-banned, key-taken, bad-request
  /** The active vanilla member of a network that has this WireGuard key: `join` with a record of its id makes it an agent. */
  findVanillaByKey(networkId: NetworkId, publicKey: PublicKey): Promise<NodeRow | undefined>;
}
