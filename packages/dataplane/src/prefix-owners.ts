import type { Prefix, PublicKey } from '@warren/base';

/**
 * Which peer has which AllowedIPs prefix: a prefix belongs to the peer that got it last, as in WireGuard.
 * The worker keeps peers by it, the main thread routes.
 */
export class PrefixOwners {
  readonly #owners = new Map<Prefix, PublicKey>();
  readonly #owned = new Map<PublicKey, Set<Prefix>>();

  /** The peer has exactly `prefixes` from now on; other peers lose those. */
  assign(peer: PublicKey, prefixes: Iterable<Prefix>): void {
    this.remove(peer);
    const owned = new Set(prefixes);
    for (const prefix of owned) {
      const former = this.#owners.get(prefix);
      if (former !== undefined) this.#owned.get(former)?.delete(prefix);
      this.#owners.set(prefix, peer);
    }
    this.#owned.set(peer, owned);
  }

  remove(peer: PublicKey): void {
    for (const prefix of this.#owned.get(peer) ?? []) this.#owners.delete(prefix);
    this.#owned.delete(peer);
  }

  /** What the peer has, it has by another key. */
  rename(from: PublicKey, to: PublicKey): void {
    const owned = this.#owned.get(from);
    if (!owned || from === to) return;
    this.#owned.delete(from);
    this.#owned.set(to, owned);
    for (const prefix of owned) this.#owners.set(prefix, to);
  }

  /** In the order in which the peer got them; none for an unknown peer. */
  of(peer: PublicKey): readonly Prefix[] {
    return [...(this.#owned.get(peer) ?? [])];
  }

  owner(prefix: Prefix): PublicKey | undefined {
    return this.#owners.get(prefix);
  }

  /** Every prefix that a peer has. */
  all(): IterableIterator<Prefix> {
    return this.#owners.keys();
  }
}
