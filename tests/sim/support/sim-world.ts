import { Internet, Random, type Station } from '@warren/simnet';
import { directPathRule, lifetimeOf, natOf, routersAbove } from './direct-path-rule.js';
import { SimAgent } from './sim-agent.js';
import { SimServer } from './sim-server.js';
import { SiteMap } from './sim-site.js';

export const SEND_EVERY_MS = 50;
/** What a discovery takes after an agent came to a place. */
const DISCOVERY_MS = 400;

export interface WorldOptions {
  readonly predictPorts: boolean;
  readonly agents?: number;
}

/** Two agents that talk to each other, both ways. */
export interface Pair {
  readonly a: SimAgent;
  readonly b: SimAgent;
  talking: boolean;
  /** Since when the path is what the rule says. */
  asRuledSince: number | undefined;
  /** Datagrams sent in these intervals may be lost. */
  readonly outages: { readonly from: number; to: number }[];
}

/** A simulated internet with agents, signal servers and places, all drawn from one seed. */
export class SimWorld {
  readonly internet: Internet;
  readonly random: Random;
  readonly map: SiteMap;
  readonly agents: SimAgent[] = [];
  readonly servers: SimServer[] = [];
  readonly pairs: Pair[] = [];
  /** Pairs of stations that are cut from each other at the core. */
  readonly cuts: [Station, Station][] = [];
  cutSince = 0;
  readonly blockedSince = new Map<string, number>();
  readonly events: string[] = [];
  /** What happened last. */
  lastKind = 'start';

  constructor(
    readonly seed: number,
    options: WorldOptions,
  ) {
    this.internet = new Internet(seed);
    this.random = new Random(seed, 2);
    this.map = new SiteMap(this.internet, this.random);
    this.addServers(this.random.between(2, 3));
    const agents = options.agents ?? this.random.between(2, 6);
    this.map.draw(agents + 2);
    for (let i = 0; i < agents; i++) {
      const delayMs = this.random.between(1, 30);
      this.agents.push(
        new SimAgent(this.internet, `agent${i}`, this.random.uint32(), { delayMs, predictPorts: options.predictPorts }),
      );
    }
  }

  /** Agents appear at their places within half a second, in any order. */
  start(): void {
    const listed = this.servers.map((server) => server.listed);
    for (const agent of this.agents) {
      const site = this.random.pick(this.map.sites);
      site.welcome(agent.host);
      this.events.push(`${agent.name} is at ${site.name}, ${agent.host.addresses.join(' ')}`);
      this.internet.after(this.random.integer(500), () => {
        agent.start(
          listed,
          this.agents.filter((other) => other !== agent),
        );
        this.discoverNat(agent);
      });
    }
    this.internet.run(500);
  }

  /** A pair begins to talk; it may take `graceMs` until the first datagram gets through. */
  talk(a: SimAgent, b: SimAgent, graceMs: number): Pair {
    const pair: Pair = { a, b, talking: true, asRuledSince: undefined, outages: [] };
    this.pairs.push(pair);
    this.outage(pair, graceMs);
    const tick = () => {
      if (pair.talking) {
        a.send(b);
        b.send(a);
      }
      this.internet.after(SEND_EVERY_MS, tick);
    };
    this.internet.after(this.random.integer(SEND_EVERY_MS), tick);
    return pair;
  }

  /** From what is on its way now, until so long from now, datagrams of this pair may be lost. */
  outage(pair: Pair, ms: number): void {
    pair.outages.push({ from: this.internet.now - IN_FLIGHT_MS, to: this.internet.now + ms });
  }

  /** Time passes; it is noticed since when paths are as the rule says. */
  run(ms: number): void {
    const end = this.internet.now + ms;
    while (this.internet.now < end) {
      this.internet.run(Math.min(50, end - this.internet.now));
      for (const pair of this.pairs) {
        if (!this.isAsRuled(pair)) pair.asRuledSince = undefined;
        else pair.asRuledSince ??= this.internet.now;
      }
    }
  }

  /** Direct both ways if and only if it is possible. */
  isAsRuled({ a, b }: Pair): boolean {
    const kinds = [a.peer(b).path?.kind, b.peer(a).path?.kind];
    const { direct } = directPathRule(a.host, b.host);
    if (direct === 'always') return kinds.every((kind) => kind === 'udp');
    if (direct === 'never') return kinds.every((kind) => kind === 'relay');
    return kinds.every((kind) => kind !== undefined);
  }

  discoverNat(agent: SimAgent): void {
    agent.setNat({ mapping: 'unknown', filtering: 'unknown' });
    const epoch = agent.host.epoch;
    this.internet.after(DISCOVERY_MS, () => {
      if (agent.host.epoch === epoch) agent.setNat({ ...natOf(agent.host), ...lifetimeOf(agent.host) });
    });
  }

  /** What of an agent's is attached to the core: the host itself, or its outermost router. */
  topOf(agent: SimAgent): Station {
    return routersAbove(agent.host).at(-1) ?? agent.host;
  }

  cut(a: Station, b: Station): void {
    if (this.cuts.length === 0) this.cutSince = this.internet.now;
    this.cuts.push([a, b]);
    this.internet.core.cut(a, b);
  }

  mend(): void {
    this.cuts.length = 0;
    this.internet.core.mend();
  }

  private addServers(count: number): void {
    for (let i = 0; i < count; i++) {
      const addresses = [this.map.publicAddress(), this.map.publicIpv6()];
      const random = new Random(this.seed, 100 + i);
      const delayMs = this.random.between(1, 40);
      this.servers.push(
        new SimServer(this.internet, `server${i}`, addresses, (length) => random.bytes(length), delayMs),
      );
    }
  }
}

/** Longer than any packet is under way. */
export const IN_FLIGHT_MS = 300;
