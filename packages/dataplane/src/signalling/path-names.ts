import { type PublicKey, toHex } from '@warren/base';
import type { PathPeer } from '@warren/paths';

/**
 * What the path manager calls each agent: the WireGuard key that it came with, also when it has another one by now. A path leads to
 * an agent, whatever key that has, and so nothing of it changes with the key.
 */
export class PathNames {
  /** By relay id, which is an agent's for good. */
  #names = new Map<string, PublicKey>();
  #keys = new Map<PublicKey, PublicKey>();
  #namesByKey = new Map<PublicKey, PublicKey>();

  /** @returns the agents as the manager is told of them. */
  rename(peers: readonly PathPeer[]): PathPeer[] {
    const former = this.#names;
    const named = peers.map((peer) => ({ peer, id: toHex(peer.relayId), known: former.get(toHex(peer.relayId)) }));
    const taken = new Set(named.map(({ known }) => known));
    this.#names = new Map();
    this.#keys = new Map();
    this.#namesByKey = new Map();
    return named.map(({ peer, id, known }) => {
      const { publicKey } = peer;
      // A key that another one had when it came is still that one's name.
      const name = known ?? (taken.has(publicKey) ? (`${publicKey} ${id}` as PublicKey) : publicKey);
      this.#names.set(id, name);
      this.#keys.set(name, publicKey);
      this.#namesByKey.set(publicKey, name);
      return name === publicKey ? peer : { ...peer, publicKey: name };
    });
  }

  /** The key itself for those that are no agents. */
  nameOf(publicKey: PublicKey): PublicKey {
    return this.#namesByKey.get(publicKey) ?? publicKey;
  }

  keyOf(name: PublicKey): PublicKey {
    return this.#keys.get(name) ?? name;
  }
}
