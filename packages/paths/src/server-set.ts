import type { Endpoint, Instant } from '@warren/base';
import type { LinkHooks } from './link-hooks.js';
import type { Outbox } from './outbox.js';
import type { PathManagerOptions, ServerId, ServerReport, SignalServer, Way } from './path-manager-api.js';
import { rendezvousOrder } from './rendezvous.js';
import { ServerLink } from './server-link.js';
import { delayed, soonest } from './times.js';

/** Living servers at which we are registered so that others find us there. */
const HOMES = 2;
/** Servers that are asked at most while looking for living ones. */
const MAX_ASKED = 6;
/** How long a registration at a peer's server outlives its last use. */
const DEMAND_MS = 300_000;
/** A registration that is no home any more stands for so long: peers send there until they have heard of the others. */
const FORMER_HOME_MS = 10_000;
/** How far all servers are is measured so long after they were set, and then so often; so many at a time. */
const MEASURE_AFTER_MS = 2_000;
const MEASURE_EVERY_MS = 600_000;
const MAX_MEASURED = 16;
/** What another server has to be nearer by, as a part of the round trip and in milliseconds. */
const NEARER_PART = 0.2;
const NEARER_MS = 5;
export const MAX_SERVERS = 64;
const MAX_TOMBSTONES_HANDED_ON = 4_096;

interface SignedTombstone {
  readonly tombstone: Uint8Array;
  readonly signature: Uint8Array;
}

/** All signal servers of the network: which of them we are registered at, and why. */
export class ServerSet {
  #links = new Map<ServerId, ServerLink>();
  #byEndpoint = new Map<Endpoint, ServerLink>();
  /** Our own rendezvous order. */
  #order: readonly ServerId[] = [];
  #homes = new Set<ServerId>();
  #demands = new Map<ServerId, Instant>();
  #ticket: Uint8Array | undefined;
  #measureAt: Instant | undefined;
  #nearestId: ServerId | undefined;
  #tombstones: readonly SignedTombstone[] = [];
  /** By server: signatures of what it was given. */
  readonly #handedOn = new Map<ServerId, Set<string>>();
  #preferIpv6 = false;
  /** Counts up when servers come or go, so that orders can be kept. */
  version = 0;

  constructor(
    private readonly options: PathManagerOptions,
    private readonly outbox: Outbox,
    private readonly hooks: LinkHooks,
  ) {}

  get ids(): readonly ServerId[] {
    return this.#order;
  }

  link(id: ServerId): ServerLink | undefined {
    return this.#links.get(id);
  }

  links(): Iterable<ServerLink> {
    return this.#links.values();
  }

  /** Allocates nothing. */
  linkOf(way: Way): ServerLink | undefined {
    return way.kind === 'tls' ? this.#links.get(way.server) : this.#byEndpoint.get(way.endpoint);
  }

  isHome = (id: ServerId): boolean => this.#homes.has(id);

  setServers(servers: readonly SignalServer[], now: Instant): void {
    const former = this.#links;
    const usable = servers.filter(isUsable).slice(0, MAX_SERVERS);
    this.#links = new Map(
      usable.map((server) => {
        const kept = former.get(server.id);
        if (kept && sameServer(kept.server, server)) return [server.id, kept];
        const link = new ServerLink(server, this.options, this.outbox, this.hooks, this.#preferIpv6);
        if (this.#ticket) link.setTicket(this.#ticket, now);
        return [server.id, link];
      }),
    );
    this.#byEndpoint = new Map(
      [...this.#links.values()].flatMap((link) => link.server.udp.map((endpoint) => [endpoint, link] as const)),
    );
    this.#order = rendezvousOrder([...this.#links.keys()], this.options.relayId);
    this.version++;
    for (const [id, link] of former) {
      if (this.#links.get(id) === link) continue;
      link.stop();
      this.#demands.delete(id);
      this.#handedOn.delete(id);
      this.hooks.linkDown(link, now);
    }
    this.measureSoon(now);
    this.refresh(now);
  }

  /** Distances are others: servers came, or we moved. */
  measureSoon(now: Instant): void {
    this.#measureAt = delayed(now, MEASURE_AFTER_MS);
  }

  setTicket(ticket: Uint8Array, now: Instant): void {
    this.#ticket = ticket.slice();
    for (const link of this.#links.values()) link.setTicket(this.#ticket, now);
    this.refresh(now);
  }

  /** A host that has IPv6 only begins with the servers' IPv6 addresses. Counts for servers that are set later. */
  preferIpv6(prefer: boolean): void {
    this.#preferIpv6 = prefer;
  }

  setTombstones(tombstones: readonly SignedTombstone[], now: Instant): void {
    this.#tombstones = tombstones.slice(-MAX_TOMBSTONES_HANDED_ON);
    for (const link of this.#links.values()) this.handOnTombstones(link, now);
  }

  handOnTombstones(link: ServerLink, now: Instant): void {
    if (!link.transport) return;
    const given = this.#handedOn.get(link.id) ?? new Set<string>();
    this.#handedOn.set(link.id, given);
    for (const { tombstone, signature } of this.#tombstones) {
      const name = signature.join();
      if (given.has(name)) continue;
      given.add(name);
      link.sendTombstone(tombstone, signature, now);
    }
  }

  /** What its session was told is forgotten with the session's end: it may have been a restart. */
  forgetHandedOn(id: ServerId): void {
    this.#handedOn.delete(id);
  }

  /** A registration at this server is wanted for a peer. @returns whether it stands. */
  demand(id: ServerId, now: Instant): boolean {
    const link = this.#links.get(id);
    if (!link) return false;
    if (!this.#homes.has(id)) this.#demands.set(id, delayed(now, DEMAND_MS));
    link.start(now);
    return link.transport !== undefined;
  }

  /** Chooses the homes anew: the first two living ones of our order, and what was asked for by peers. */
  refresh(now: Instant): void {
    const homes = new Set<ServerId>();
    let living = 0;
    for (const id of this.#order) {
      if (living >= HOMES || homes.size >= MAX_ASKED) break;
      homes.add(id);
      if (!this.#links.get(id)!.isDead(now)) living++;
    }
    const nearest = this.#nearest(now);
    if (nearest) homes.add(nearest.id);
    const former = this.#homes;
    this.#homes = homes;
    for (const [id, link] of this.#links) {
      if (homes.has(id)) link.start(now);
      else if (former.has(id) && link.transport && !this.#demands.has(id))
        this.#demands.set(id, delayed(now, FORMER_HOME_MS));
      else if (link.started && !this.#demands.has(id)) this.#release(link, now);
    }
  }

  /** Homes at which we are registered, nearest first. */
  homes(): ServerLink[] {
    return [...this.#links.values()]
      .filter((link) => this.#homes.has(link.id) && link.transport && !link.suspect)
      .sort((a, b) => (a.rttMs ?? Infinity) - (b.rttMs ?? Infinity) || (a.id < b.id ? -1 : 1));
  }

  checkAll(now: Instant): void {
    for (const link of this.#links.values()) if (link.started) link.check(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#measureAt !== undefined && now >= this.#measureAt) this.#measure(now);
    for (const link of this.#links.values()) if (link.started) link.handleTimeout(now);
    for (const [id, until] of this.#demands) {
      if (now < until) continue;
      const link = this.#links.get(id);
      if (link?.usedSince(now - DEMAND_MS / 2)) {
        this.#demands.set(id, delayed(now, DEMAND_MS));
        continue;
      }
      this.#demands.delete(id);
      if (link && !this.#homes.has(id)) this.#release(link, now);
    }
  }

  deadline(): Instant | undefined {
    let at = this.#measureAt;
    for (const link of this.#links.values()) at = soonest(at, link.deadline());
    for (const until of this.#demands.values()) at = soonest(at, until);
    return at;
  }

  reports(): ServerReport[] {
    const nearest = this.homes()[0];
    return this.#order.map((id) => {
      const link = this.#links.get(id)!;
      return link.report(link === nearest);
    });
  }

  stop(): void {
    for (const link of this.#links.values()) link.stop();
  }

  #release(link: ServerLink, now: Instant): void {
    link.stop();
    this.hooks.linkDown(link, now);
  }

  #measure(now: Instant): void {
    this.#measureAt = delayed(now, MEASURE_EVERY_MS);
    let measured = 0;
    for (const id of this.#order) {
      const link = this.#links.get(id)!;
      if (link.started || !this.#ticket) continue;
      if (++measured > MAX_MEASURED) return;
      link.measure(now);
    }
  }

  /** The nearest living one, which stays so until another is clearly nearer. */
  #nearest(now: Instant): ServerLink | undefined {
    const distance = (link: ServerLink | undefined): number => (link && !link.isDead(now) && link.rttMs) || Infinity;
    let nearest = this.#nearestId === undefined ? undefined : this.#links.get(this.#nearestId);
    for (const link of this.#links.values()) {
      const enough = distance(nearest) * (1 - NEARER_PART) - NEARER_MS;
      if (distance(link) < (distance(nearest) === Infinity ? Infinity : enough)) nearest = link;
    }
    if (distance(nearest) === Infinity) nearest = undefined;
    this.#nearestId = nearest?.id;
    return nearest;
  }
}

const isUsable = (server: SignalServer): boolean =>
  server.id.length > 0 && server.id.length <= 64 && server.key.length === 32;

function sameServer(a: SignalServer, b: SignalServer): boolean {
  return (
    a.name === b.name &&
    a.udp.join() === b.udp.join() &&
    a.tls.join() === b.tls.join() &&
    a.key.every((byte, i) => byte === b.key[i])
  );
}
