import { hostPrefix, type IpAddress, type Prefix } from '@warren/base';
import type { AcceptedPeer } from '../codec/domain.js';

/** How long addresses that were given up are kept beside the new ones, milliseconds. The control plane hands them to nobody for far longer. */
const OVERLAP = 30_000;
/** Until then new connections use the address of before: by then every connected agent has heard of the new one. */
const SETTLED = 5_000;

/** Who has which addresses, at one moment. */
export interface AddressView {
  readonly own: readonly IpAddress[];
  readonly peers: readonly AcceptedPeer[];
  /** What a bounce forwards between. */
  readonly forward: readonly string[];
}

/** The same view with what was given up a moment ago. */
export interface FormerPlan {
  /** The interface's addresses; the first of a family is the one that new connections use. */
  readonly own: readonly IpAddress[];
  /** The same peers, those that moved with their former addresses, too. */
  readonly peers: readonly AcceptedPeer[];
  /** What a bounce forwards between. */
  readonly forward: readonly string[];
  /** Milliseconds, more than none, until the plan is another one; undefined: it stays. */
  readonly nextChange: number | undefined;
}

/**
 * Addresses that nodes had until a moment ago. Agents hear of a change at slightly different times: until all have, each
 * accepts and answers under both, so that nothing is lost in between. Somebody who has such an address now keeps it to
 * himself, and who is gone has none.
 */
export class FormerAddresses {
  readonly #own = new Map<IpAddress, number>();
  readonly #forward = new Map<string, number>();
  readonly #peers = new Map<IpAddress, { readonly id: string; readonly since: number }>();

  /** @param now monotonic milliseconds. */
  constructor(private readonly now: () => number) {}

  /** Something of the network has changed. */
  note(before: AddressView, after: AddressView): void {
    const now = this.now();
    for (const address of before.own) if (!after.own.includes(address)) this.#own.set(address, now);
    for (const prefix of before.forward) if (!after.forward.includes(prefix)) this.#forward.set(prefix, now);
    const left = new Map(after.peers.map((peer) => [peer.id as string, peer]));
    for (const { id, addresses } of before.peers) {
      const peer = left.get(id);
      for (const address of addresses) {
        if (peer && !peer.addresses.includes(address)) this.#peers.set(address, { id, since: now });
      }
    }
    for (const [address, { id }] of this.#peers) if (!left.has(id)) this.#peers.delete(address);
  }

  /** What one moment asks for; one reading of the clock decides all of it, so that nothing ends between two of its parts. */
  plan({ own, peers, forward }: AddressView): FormerPlan {
    const now = this.now();
    this.#expire(now);
    return {
      own: this.#ownAt(now, own, peers),
      peers: this.#peersWith(own, peers),
      forward: [...forward, ...[...this.#forward.keys()].filter((prefix) => !forward.includes(prefix))],
      nextChange: this.#nextChange(now),
    };
  }

  #peersWith(own: readonly IpAddress[], peers: readonly AcceptedPeer[]): readonly AcceptedPeer[] {
    if (this.#peers.size === 0) return peers;
    const taken = new Set<string>([...own, ...peers.flatMap(({ addresses }) => addresses)]);
    const more = new Map<AcceptedPeer, Prefix[]>();
    for (const [address, { id }] of this.#peers) {
      const carrier = taken.has(address) ? undefined : carrierOf(peers, id);
      if (carrier) more.set(carrier, [...(more.get(carrier) ?? []), hostPrefix(address)]);
    }
    return peers.map((peer) => {
      const prefixes = more.get(peer);
      const { dataPlane } = peer;
      if (!prefixes || !dataPlane) return peer;
      return { ...peer, dataPlane: { ...dataPlane, allowedIps: [...dataPlane.allowedIps, ...prefixes] } };
    });
  }

  #ownAt(now: number, own: readonly IpAddress[], peers: readonly AcceptedPeer[]): IpAddress[] {
    const taken = new Set<string>([...own, ...peers.flatMap(({ addresses }) => addresses)]);
    const former = [...this.#own].filter(([address]) => !taken.has(address));
    const fresh = former.filter(([, since]) => since + SETTLED > now).map(([address]) => address);
    const old = former.map(([address]) => address).filter((address) => !fresh.includes(address));
    return [...fresh, ...own, ...old];
  }

  /** What is still kept at `now` ends later, so every end is ahead. */
  #nextChange(now: number): number | undefined {
    const since = [...this.#own.values(), ...this.#forward.values(), ...[...this.#peers.values()].map((p) => p.since)];
    const settling = [...this.#own.values()].map((at) => at + SETTLED).filter((at) => at > now);
    const ends = [...since.map((at) => at + OVERLAP), ...settling];
    return ends.length > 0 ? Math.min(...ends) - now : undefined;
  }

  #expire(now: number): void {
    for (const [address, since] of this.#own) if (since + OVERLAP <= now) this.#own.delete(address);
    for (const [prefix, since] of this.#forward) if (since + OVERLAP <= now) this.#forward.delete(prefix);
    for (const [address, { since }] of this.#peers) if (since + OVERLAP <= now) this.#peers.delete(address);
  }
}

/** The WireGuard peer behind which a node is: itself, or the bounce that leads to it. */
function carrierOf(peers: readonly AcceptedPeer[], id: string): AcceptedPeer | undefined {
  const peer = peers.find((candidate) => candidate.id === id);
  return peer?.via === undefined ? peer : peers.find(({ name }) => name === peer.via);
}
