import type { NetworkId, NodeId } from '@warren/base';
import { decodeTombstone, type SignedTombstone } from '@warren/identity';

interface Entry {
  readonly network: NetworkId;
  /** undefined: brought by the host of this server, which verified it; counts for every authority. */
  readonly authority: number | undefined;
  readonly signed: SignedTombstone;
}

/** Nodes that were revoked, in the order in which that became known. The oldest is forgotten first. */
export class Tombstones {
  readonly #entries = new Map<string, Entry>();
  readonly #byNetwork = new Map<NetworkId, Entry[]>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Keeps a verified tombstone. @returns undefined when it is none, or known already.
   */
  add(signed: SignedTombstone, authority: number | undefined): { network: NetworkId; node: NodeId } | undefined {
    const tombstone = decodeTombstone(signed.tombstone);
    if (!tombstone || this.has(tombstone.networkId, tombstone.nodeId, authority)) return undefined;
    const { networkId: network, nodeId: node } = tombstone;
    const kept = { tombstone: signed.tombstone.slice(), signature: signed.signature.slice() };
    const entry = { network, authority, signed: kept };
    this.#entries.set(keyOf(network, node, authority), entry);
    const ofNetwork = this.#byNetwork.get(network) ?? [];
    ofNetwork.push(entry);
    this.#byNetwork.set(network, ofNetwork);
    if (this.#entries.size > this.limit) this.#forgetOldest();
    return { network, node };
  }

  /** Whether the node was revoked, as far as this authority's tickets go. */
  has(network: NetworkId, node: NodeId, authority: number | undefined): boolean {
    return this.#entries.has(keyOf(network, node, undefined)) || this.#entries.has(keyOf(network, node, authority));
  }

  /** The newest of a network, at most `count`, newest first. */
  newest(network: NetworkId, authority: number, count: number): SignedTombstone[] {
    return (this.#byNetwork.get(network) ?? [])
      .filter((entry) => (entry.authority ?? authority) === authority)
      .slice(-count)
      .map(({ signed }) => signed)
      .reverse();
  }

  /** The oldest of all is the oldest of its network too. */
  #forgetOldest(): void {
    const [key, { network }] = this.#entries.entries().next().value!;
    this.#entries.delete(key);
    const ofNetwork = this.#byNetwork.get(network)!;
    ofNetwork.shift();
    if (ofNetwork.length === 0) this.#byNetwork.delete(network);
  }
}

const keyOf = (network: NetworkId, node: NodeId, authority: number | undefined): string =>
  `${authority ?? '*'}\n${network}\n${node}`;
