import { type IpAddress, invariant } from '@warren/base';
import type { Internet } from './internet.js';
import type { DropReason, Packet } from './packet.js';

/** The cable of one station. Changes take effect for packets sent from then on. */
export interface Link {
  /** One way, as far as this cable goes: a packet takes the delays of both cables. */
  delayMs: number;
  /** At most this much more, evenly distributed; packets may overtake each other. */
  jitterMs: number;
  /** Probability, each way. */
  loss: number;
  up: boolean;
}

export const link = (changes: Partial<Link> = {}): Link => ({
  delayMs: 5,
  jitterMs: 0,
  loss: 0,
  up: true,
  ...changes,
});

/** What can be attached to a segment: a host, or one side of a router. */
export interface Station {
  readonly name: string;
  readonly link: Link;
  /** A packet that came by `segment`. */
  handlePacket(packet: Packet, segment: Segment): void;
}

/** A way out of a segment. */
export interface Gateway extends Station {
  readonly outside: Segment;
  /** Whether inside addresses of this family are seen outside as they are. */
  routes(address: IpAddress): boolean;
}

/** Stations that reach each other without a router, and at most one router by which they reach everything else. */
export class Segment {
  /** Set by the router whose inside this is. */
  gateway: Gateway | undefined;
  private readonly stations = new Map<IpAddress, Station>();
  private readonly cuts = new Set<string>();

  constructor(
    readonly internet: Internet,
    readonly name: string,
  ) {}

  /** From now on `station` receives what goes to `address`, also from outside where routers do not translate it. */
  attach(station: Station, address: IpAddress): void {
    invariant(!this.stations.has(address), `${address} is taken in ${this.name}`);
    this.stations.set(address, station);
    if (this.gateway?.routes(address)) this.gateway.outside.attach(this.gateway, address);
  }

  detach(address: IpAddress): void {
    this.stations.delete(address);
    if (this.gateway?.routes(address)) this.gateway.outside.detach(address);
  }

  /** Nothing passes between these two until `mend`. */
  cut(a: Station, b: Station): void {
    this.cuts.add(`${a.name} ${b.name}`).add(`${b.name} ${a.name}`);
  }

  /** Undoes every cut. */
  mend(): void {
    this.cuts.clear();
  }

  isCut(a: Station, b: Station): boolean {
    return this.cuts.has(`${a.name} ${b.name}`);
  }

  /** Who receives what goes to `address` when `from` sends it. */
  next(address: IpAddress, from: Station): Station | undefined {
    const station = this.stations.get(address) ?? this.gateway;
    return station === from ? undefined : station;
  }

  transmit(packet: Packet, from: Station): void {
    const { internet } = this;
    const to = this.next(packet.destination.address, from);
    const obstacle = this.obstacle(from, to);
    if (!to || obstacle) {
      internet.note(obstacle ?? 'no-route', this.name, packet);
      return;
    }
    const jitter = from.link.jitterMs + to.link.jitterMs;
    const delay = from.link.delayMs + to.link.delayMs + (jitter > 0 ? internet.random.fraction() * jitter : 0);
    internet.after(delay, () => {
      // Who moved away, or whose cable was pulled meanwhile, does not get it.
      if (this.next(packet.destination.address, from) !== to) internet.note('gone', this.name, packet);
      else if (!to.link.up) internet.note('link-down', this.name, packet);
      else to.handlePacket(packet, this);
    });
  }

  private obstacle(from: Station, to: Station | undefined): DropReason | undefined {
    if (!to) return 'no-route';
    if (!from.link.up || !to.link.up) return 'link-down';
    if (this.isCut(from, to)) return 'cut';
    const { random } = this.internet;
    const lost = [from.link.loss, to.link.loss].some((loss) => loss > 0 && random.chance(loss));
    return lost ? 'lost' : undefined;
  }
}
