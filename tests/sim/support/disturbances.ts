import { type Host, Router } from '@warren/simnet';
import { directPathRule, routersAbove } from './direct-path-rule.js';
import type { SimAgent } from './sim-agent.js';
import type { SimServer } from './sim-server.js';
import type { Pair, SimWorld } from './sim-world.js';

/** What was done to a world. */
export interface Disturbance {
  readonly kind: string;
  readonly what: string;
  /** Pairs whose datagrams may be lost, from now until `trafficWithinMs`. */
  readonly hit: readonly Pair[];
  /** Datagrams that are sent so long from now arrive. */
  readonly trafficWithinMs: number;
  /** So long from now each path is as the rule says. */
  readonly pathWithinMs: number;
}

/** The ceilings that the project sets itself are two seconds in a laboratory; here a round trip takes up to 300 ms. */
const TRAFFIC_BACK_MS = 2500;
/** Finding out that UDP is gone, and a stream's handshake, over round trips of up to 300 ms. */
const STREAM_WITHIN_MS = 3000;
const DIRECT_BACK_MS = 2500;
/** Nobody tells the host that its uplink is back. */
const DIRECT_AFTER_OUTAGE_MS = 3500;
const DIRECT_AFTER_START_MS = 3000;
const FIRST_DATAGRAM_MS = 1000;
/** Nobody tells that an obstacle is gone: what was in vain is tried again after 15 s, and then at pauses that double. */
const DIRECT_AFTER_OBSTACLE_MS = 10_000;
const TRIED_AGAIN_MS = 16_000;
const TRIED_AGAIN_AT_MOST_MS = 310_000;
const directAfterObstacle = (lastedMs: number): number =>
  lastedMs < 20_000 ? DIRECT_AFTER_OBSTACLE_MS : Math.min(lastedMs + TRIED_AGAIN_MS, TRIED_AGAIN_AT_MOST_MS);
/** How long a path that has become impossible may be believed in. */
const RELAY_AFTER_MS = 3000;

type Disturb = (world: SimWorld) => Disturbance | undefined;

const pairsOf = (world: SimWorld, agents: readonly SimAgent[]): Pair[] =>
  world.pairs.filter(({ a, b }) => agents.includes(a) || agents.includes(b));

const below = (world: SimWorld, router: Router): SimAgent[] =>
  world.agents.filter((agent) => routersAbove(agent.host).includes(router));

/** Pairs that use this server, in one direction at least. */
const relayedBy = (world: SimWorld, server: SimServer): Pair[] =>
  world.pairs.filter(({ a, b }) =>
    [a.peer(b), b.peer(a)].some(({ path }) => path?.kind === 'relay' && path.server === server.listed.id),
  );

const blocking = (world: SimWorld): (Router | Host)[] =>
  [...world.map.routers, ...world.agents.map(({ host }) => host)].filter(({ udpBlocked }) => udpBlocked);

const newPair: Disturb = (world) => {
  const candidates = world.agents.flatMap((a, i) => world.agents.slice(i + 1).map((b) => ({ a, b })));
  const fresh = candidates.filter(({ a, b }) => !world.pairs.some((pair) => pair.a === a && pair.b === b));
  if (fresh.length === 0 || world.pairs.length >= 4) return undefined;
  const { a, b } = world.random.pick(fresh);
  // An obstacle that came while both were silent is found out only now.
  const obstacle = world.cuts.length > 0 || world.servers.some(({ alive }) => !alive) || blocking(world).length > 0;
  world.talk(a, b, obstacle ? FIRST_DATAGRAM_MS + TRAFFIC_BACK_MS : FIRST_DATAGRAM_MS);
  return {
    kind: 'first words',
    what: `${a.name} and ${b.name} begin to talk`,
    hit: [],
    trafficWithinMs: 0,
    pathWithinMs: DIRECT_AFTER_START_MS,
  };
};

const roam: Disturb = (world) => {
  const agent = world.random.pick(world.agents);
  const site = world.random.pick(world.map.sites);
  const gapMs = world.random.pick([0, 0, 300, 3000]);
  const hit = pairsOf(world, [agent]);
  agent.host.leave();
  for (const pair of hit) world.outage(pair, gapMs);
  world.run(gapMs);
  site.welcome(agent.host);
  world.internet.after(world.random.integer(100), () => {
    agent.networkChanged();
    world.discoverNat(agent);
  });
  const what = `${agent.name} moves to ${site.name}, ${agent.host.addresses.join(' ')}, ${gapMs} ms nowhere`;
  return { kind: 'roaming', what, hit, trafficWithinMs: TRAFFIC_BACK_MS, pathWithinMs: DIRECT_BACK_MS };
};

const rebootNat: Disturb = (world) => {
  const used = world.map.routers.filter((router) => below(world, router).length > 0);
  if (used.length === 0) return undefined;
  const router = world.random.pick(used);
  const offMs = world.random.pick([0, 1000, 5000]);
  const hit = pairsOf(world, below(world, router));
  router.link.up = false;
  for (const pair of hit) world.outage(pair, offMs);
  world.run(offMs);
  router.link.up = true;
  const elsewhere =
    router.outside === world.internet.core && router.nat.kind.mapping !== 'none' && world.random.chance(0.6);
  router.reboot(elsewhere ? world.map.publicAddress() : undefined);
  const what = `${router.name} reboots, ${offMs} ms off, now ${router.nat.address}`;
  return { kind: 'NAT reboot', what, hit, trafficWithinMs: TRAFFIC_BACK_MS, pathWithinMs: DIRECT_BACK_MS };
};

const isCut = (world: SimWorld, server: SimServer): boolean => world.cuts.some((ends) => ends.includes(server.host));

const killServer: Disturb = (world) => {
  const living = world.servers.filter(({ alive }) => alive);
  // Somebody has to be left for everybody.
  if (living.length < 2 || living.some((server) => isCut(world, server))) return undefined;
  const server = world.random.pick(living);
  const hit = relayedBy(world, server);
  const how = world.random.pick(['process', 'machine'] as const);
  server.kill(how);
  return {
    kind: 'server killed',
    what: `${server.listed.id} dies (${how})`,
    hit,
    trafficWithinMs: TRAFFIC_BACK_MS,
    pathWithinMs: 0,
  };
};

const reviveServer: Disturb = (world) => {
  const dead = world.servers.filter(({ alive }) => !alive);
  if (dead.length === 0) return undefined;
  const server = world.random.pick(dead);
  server.start();
  return { kind: 'server back', what: `${server.listed.id} is back`, hit: [], trafficWithinMs: 0, pathWithinMs: 0 };
};

const cutFromServer: Disturb = (world) => {
  if (world.servers.some((server) => !server.alive || isCut(world, server)) || world.servers.length < 2)
    return undefined;
  const [agent, server] = [world.random.pick(world.agents), world.random.pick(world.servers)];
  const top = world.topOf(agent);
  const hit = relayedBy(world, server);
  world.cut(top, server.host);
  return {
    kind: 'cut from a server',
    what: `${top.name} no longer reaches ${server.listed.id}`,
    hit,
    trafficWithinMs: TRAFFIC_BACK_MS,
    pathWithinMs: RELAY_AFTER_MS,
  };
};

const cutPeers: Disturb = (world) => {
  if (world.pairs.length === 0) return undefined;
  const { a, b } = world.random.pick(world.pairs);
  const [left, right] = [world.topOf(a), world.topOf(b)];
  if (left === right) return undefined;
  world.cut(left, right);
  const hit = world.pairs.filter((pair) => {
    const tops = [world.topOf(pair.a), world.topOf(pair.b)];
    return tops.includes(left) && tops.includes(right);
  });
  return {
    kind: 'partition',
    what: `${left.name} and ${right.name} are cut from each other`,
    hit,
    trafficWithinMs: TRAFFIC_BACK_MS,
    pathWithinMs: RELAY_AFTER_MS,
  };
};

const mend: Disturb = (world) => {
  if (world.cuts.length === 0) return undefined;
  const lastedMs = world.internet.now - world.cutSince;
  world.mend();
  return {
    kind: 'mended',
    what: 'nobody is cut from anybody',
    hit: [],
    trafficWithinMs: 0,
    pathWithinMs: directAfterObstacle(lastedMs),
  };
};

const isolate: Disturb = (world) => {
  const agent = world.random.pick(world.agents);
  const ms = world.random.pick([1000, 4000, 12_000, 40_000]);
  const hit = pairsOf(world, [agent]);
  agent.host.link.up = false;
  for (const pair of hit) world.outage(pair, ms);
  world.run(ms);
  agent.host.link.up = true;
  return {
    kind: 'outage',
    what: `${agent.name} was without network for ${ms} ms`,
    hit,
    trafficWithinMs: TRAFFIC_BACK_MS,
    pathWithinMs: DIRECT_AFTER_OUTAGE_MS,
  };
};

const blockUdp: Disturb = (world) => {
  const agent = world.random.pick(world.agents);
  const at = world.random.pick([agent.host, ...routersAbove(agent.host)]);
  if (at.udpBlocked) return undefined;
  at.udpBlocked = true;
  world.blockedSince.set(at.name, world.internet.now);
  const hit = at instanceof Router ? pairsOf(world, below(world, at)) : pairsOf(world, [agent]);
  return {
    kind: 'UDP blocked',
    what: `${at.name} blocks UDP`,
    hit,
    trafficWithinMs: STREAM_WITHIN_MS,
    pathWithinMs: RELAY_AFTER_MS,
  };
};

const unblockUdp: Disturb = (world) => {
  if (blocking(world).length === 0) return undefined;
  const at = world.random.pick(blocking(world));
  at.udpBlocked = false;
  return {
    kind: 'UDP unblocked',
    what: `${at.name} lets UDP through`,
    hit: [],
    trafficWithinMs: 0,
    pathWithinMs: directAfterObstacle(world.internet.now - world.blockedSince.get(at.name)!),
  };
};

const idle: Disturb = (world) => {
  const ms = world.random.pick([20_000, 70_000, 200_000, 600_000]);
  for (const pair of world.pairs) pair.talking = false;
  world.run(ms);
  for (const pair of world.pairs) pair.talking = true;
  return {
    kind: 'idle',
    what: `nobody said anything for ${ms} ms`,
    hit: [],
    trafficWithinMs: 0,
    pathWithinMs: DIRECT_AFTER_START_MS,
  };
};

const DISTURBANCES: readonly Disturb[] = [
  newPair,
  roam,
  roam,
  rebootNat,
  rebootNat,
  killServer,
  reviveServer,
  cutFromServer,
  cutPeers,
  mend,
  mend,
  isolate,
  blockUdp,
  unblockUdp,
  unblockUdp,
  idle,
];

/** Something happens to the world; `newPair` as long as nobody talks. */
export function disturb(world: SimWorld): Disturbance {
  for (;;) {
    const one = world.pairs.length === 0 ? newPair(world) : world.random.pick(DISTURBANCES)(world);
    if (one) return one;
  }
}

export const describePair = ({ a, b }: Pair): string => {
  const { direct, because } = directPathRule(a.host, b.host);
  return `${a.name} ↔ ${b.name}: direct ${direct} (${because})`;
};
