import type { Instant } from '@warren/base';
import type { PathPeer, RelayPath, ServerId } from './path-manager-api.js';
import type { PeerPaths } from './peer-paths.js';
import { rendezvousOrder } from './rendezvous.js';
import type { ServerLink } from './server-link.js';
import type { ServerSet } from './server-set.js';
import { delayed } from './times.js';

/** How long a server's *not here* is believed. */
const NOT_HERE_MS = 5_000;
/** Servers at which a sender registers for one peer at a time. */
const DEMANDED = 2;
/** A peer that was heard through a server which is none of its homes is still there for so long: registrations on demand last longer. */
const GUEST_MS = 120_000;
const RTT_WEIGHT = 1 / 4;

interface Knowledge {
  /** When the peer was last heard through this server. */
  heardAt: Instant | undefined;
  notHereUntil: Instant | undefined;
  rttMs: number | undefined;
}

/** At which signal server a peer is reached: the homes that it named, else its rendezvous order. */
export class PeerRelays {
  #order: readonly ServerId[] = [];
  #orderVersion = -1;
  #homes: readonly ServerId[] = [];
  readonly #known = new Map<ServerId, Knowledge>();

  constructor(
    private readonly peer: PathPeer,
    private readonly servers: ServerSet,
    private readonly paths: PeerPaths,
  ) {}

  get homes(): readonly ServerId[] {
    return this.#homes;
  }

  rttMs(server: ServerId): number | undefined {
    return this.#known.get(server)?.rttMs;
  }

  /** Whether the peer is registered there: it was heard through it, and either named it or can hardly have left since. */
  isProven(server: ServerId, now: Instant): boolean {
    const heardAt = this.#known.get(server)?.heardAt;
    return heardAt !== undefined && (this.#homes.includes(server) || now - heardAt < GUEST_MS);
  }

  setHomes(homes: readonly ServerId[]): void {
    if (homes.join() === this.#homes.join()) return;
    this.#homes = homes;
    for (const [id, known] of this.#known) if (!homes.includes(id)) known.heardAt = undefined;
  }

  /** Something authenticated came from the peer through this server. */
  heard(server: ServerId, now: Instant): void {
    const known = this.#knowledge(server);
    known.heardAt = now;
    known.notHereUntil = undefined;
  }

  measured(server: ServerId, rttMs: number): void {
    const known = this.#knowledge(server);
    known.rttMs = known.rttMs === undefined ? rttMs : known.rttMs + (rttMs - known.rttMs) * RTT_WEIGHT;
  }

  notHere(server: ServerId, now: Instant): void {
    const known = this.#knowledge(server);
    known.heardAt = undefined;
    known.notHereUntil = delayed(now, NOT_HERE_MS);
  }

  /** The session there ended, or the peer is silent: it has to be shown again. */
  doubt(server?: ServerId): void {
    for (const [id, known] of this.#known) if (server === undefined || id === server) known.heardAt = undefined;
  }

  /** Where to send: a second way too until the first one is proven. */
  choose(now: Instant): { readonly path: RelayPath | undefined; readonly also: RelayPath | undefined } {
    const usable = this.#usable(now);
    const sure = usable.find((link) => this.isProven(link.id, now) && !link.suspect);
    if (sure) return { path: this.paths.relay(sure), also: undefined };
    const [first, second] = usable;
    return { path: first && this.paths.relay(first), also: second && this.paths.relay(second) };
  }

  /** Registers at the servers where the peer should be, so that they can be sent over; call it while there is traffic. */
  demand(now: Instant): void {
    let wanted = 0;
    for (const id of this.#walk()) {
      if (wanted >= DEMANDED) return;
      const link = this.servers.link(id)!;
      if (this.#isAbsent(id, now)) continue;
      this.servers.demand(id, now);
      if (!link.isDead(now)) wanted++;
    }
  }

  /** Registered servers in the order in which the peer is to be found at them; those that it is not at come last. */
  #usable(now: Instant): ServerLink[] {
    const links: ServerLink[] = [];
    const doubtful: ServerLink[] = [];
    const absent: ServerLink[] = [];
    for (const id of this.#walk()) {
      const link = this.servers.link(id)!;
      if (!link.transport) continue;
      if (this.#isAbsent(id, now)) absent.push(link);
      else if (link.suspect) doubtful.push(link);
      else links.push(link);
    }
    return [...links, ...doubtful, ...absent];
  }

  #isAbsent(id: ServerId, now: Instant): boolean {
    const until = this.#known.get(id)?.notHereUntil;
    return until !== undefined && now < until;
  }

  *#walk(): Generator<ServerId> {
    if (this.#orderVersion !== this.servers.version) {
      this.#order = rendezvousOrder(this.servers.ids, this.peer.relayId);
      this.#orderVersion = this.servers.version;
      for (const id of this.#known.keys()) if (!this.servers.link(id)) this.#known.delete(id);
    }
    for (const id of this.#homes) if (this.servers.link(id)) yield id;
    for (const id of this.#order) if (!this.#homes.includes(id)) yield id;
  }

  #knowledge(server: ServerId): Knowledge {
    let known = this.#known.get(server);
    if (!known) {
      known = { heardAt: undefined, notHereUntil: undefined, rttMs: undefined };
      this.#known.set(server, known);
    }
    return known;
  }
}
