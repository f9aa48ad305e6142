import type { PacketTrace } from '@warren/simnet';
import { directPathRule } from './direct-path-rule.js';
import { type Disturbance, describePair, disturb } from './disturbances.js';
import { describe as describePath } from './sim-agent.js';
import { IN_FLIGHT_MS, type Pair, SEND_EVERY_MS, SimWorld, type WorldOptions } from './sim-world.js';

/** Nothing new happens any more after this. */
const STEADY_MS = 2000;

/** What one kind of event cost, over all worlds: milliseconds. */
export interface Cost {
  readonly kind: string;
  /** Time in which datagrams were lost, of each pair that was hit. */
  readonly lostMs: number[];
  /** Until each path was as the rule says. */
  readonly pathMs: number[];
}

export class Costs {
  readonly byKind = new Map<string, Cost>();

  add(kind: string, lostMs: readonly number[], pathMs: readonly number[]): void {
    const cost = this.byKind.get(kind) ?? { kind, lostMs: [], pathMs: [] };
    cost.lostMs.push(...lostMs);
    cost.pathMs.push(...pathMs);
    this.byKind.set(kind, cost);
  }

  lines(): string[] {
    const sorted = [...this.byKind.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
    return sorted.map(
      ({ kind, lostMs, pathMs }) => `${kind.padEnd(18)} lost ms ${quantiles(lostMs)}   path ms ${quantiles(pathMs)}`,
    );
  }
}

function quantiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => String(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? '-');
  return `median ${at(0.5).padStart(5)} p95 ${at(0.95).padStart(5)} max ${at(1).padStart(5)} of ${String(values.length).padStart(4)}`;
}

/** A world that is not as it should be. */
export class StoryError extends Error {
  constructor(
    message: string,
    /** A datagram that should have arrived, as its last bytes. */
    readonly lost: Uint8Array | undefined,
  ) {
    super(message);
  }
}

/** Plays a world that failed once more, and says what became of the datagram that was lost. */
export function explain(seed: number, steps: number, options: WorldOptions, error: StoryError): string {
  const { lost } = error;
  if (!lost) return error.message;
  const fate: string[] = [];
  try {
    playStory(seed, steps, options, new Costs(), ({ at, where, what, packet: { source, destination, payload } }) => {
      if (!lost.every((byte, i) => payload[payload.length - lost.length + i] === byte)) return;
      fate.push(
        `${at} ${what} at ${where}: ${source.address} ${source.port} → ${destination.address} ${destination.port}`,
      );
    });
  } catch (again) {
    if (!(again instanceof StoryError)) throw again;
  }
  return [error.message, 'the first that was lost:', ...fate].join('\n  ');
}

/** Plays one world from its seed. @throws Error that tells the seed, the story so far and what is wrong. */
export function playStory(
  seed: number,
  steps: number,
  options: WorldOptions,
  costs = new Costs(),
  trace?: (event: PacketTrace) => void,
): SimWorld {
  const world = new SimWorld(seed, options);
  world.internet.trace = trace;
  world.start();
  for (let step = 0; step < steps; step++) {
    const since = world.internet.now;
    const disturbance = disturb(world);
    world.events.push(`${world.internet.now}: ${disturbance.what}`);
    world.lastKind = disturbance.kind;
    settle(world, disturbance, since, costs);
  }
  return world;
}

function settle(
  world: SimWorld,
  { kind, hit, trafficWithinMs, pathWithinMs }: Disturbance,
  since: number,
  costs: Costs,
): void {
  const start = world.internet.now;
  for (const pair of world.pairs) pair.asRuledSince = undefined;
  for (const pair of hit) world.outage(pair, trafficWithinMs);
  world.run(Math.max(pathWithinMs, RELAY_WITHIN_MS) + STEADY_MS);
  for (const pair of world.pairs) {
    const { asRuledSince } = pair;
    const limit = directPathRule(pair.a.host, pair.b.host).direct === 'never' ? RELAY_WITHIN_MS : pathWithinMs;
    if (asRuledSince !== undefined && asRuledSince <= start + limit + SAMPLE_MS) continue;
    const time = asRuledSince === undefined ? 'not yet' : `after ${asRuledSince - start} ms`;
    fail(world, `the path is not what it should be within ${limit} ms, but ${time}`, pair);
  }
  for (const pair of world.pairs) checkLosses(world, pair, since);
  costs.add(
    kind,
    hit.map((pair) => lostIn(pair, start, world.internet.now).length * (SEND_EVERY_MS / 2)),
    world.pairs.map(({ asRuledSince }) => asRuledSince! - start),
  );
}

/** How long a direct path that has become impossible may be believed in, the relay being used beside it. */
const RELAY_WITHIN_MS = 3000;
/** `run` looks so often. */
const SAMPLE_MS = 50;

const lostIn = ({ a, b }: Pair, from: number, to: number): number[] =>
  [...a.peer(b).out.lostBetween(from, to), ...b.peer(a).out.lostBetween(from, to)].sort((x, y) => x - y);

function checkLosses(world: SimWorld, pair: Pair, since: number): void {
  const lost = lostIn(pair, since - IN_FLIGHT_MS, world.internet.now - IN_FLIGHT_MS);
  const unexcused = lost.filter((at) => !pair.outages.some(({ from, to }) => from <= at && at < to));
  if (unexcused.length > 0)
    fail(
      world,
      `${unexcused.length} datagrams lost, sent at ${unexcused.slice(0, 8).join(', ')}`,
      pair,
      lostDatagram(pair, unexcused[0]!),
    );
}

function lostDatagram({ a, b }: Pair, at: number): Uint8Array | undefined {
  const flow = [a.peer(b).out, b.peer(a).out].find((one) => one.lostBetween(at, at + 1).length > 0);
  return flow?.datagramOf(flow.sentAt.indexOf(at)).subarray(4);
}

function fail(world: SimWorld, what: string, pair: Pair, lost?: Uint8Array): never {
  const { a, b } = pair;
  const log = [...a.log, ...b.log].sort((x, y) => Number.parseInt(x, 10) - Number.parseInt(y, 10));
  const paths = [a.peer(b), b.peer(a)].map(({ path }) => (path ? describePath(path) : 'none')).join(' / ');
  throw new StoryError(
    [
      `seed ${world.seed}: after ${world.lastKind}: ${what}`,
      `now ${world.internet.now}; ${describePair(pair)}; paths ${paths}`,
      ...world.events,
      ...log.slice(-40),
    ].join('\n  '),
    lost,
  );
}
