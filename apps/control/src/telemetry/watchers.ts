import type { NetworkId } from '@warren/base';
import type { NetworkTelemetry } from './network-telemetry.js';
import { linkView, type Moment, seenNode } from './views.js';

/** Milliseconds between two batches of what changed. */
const BATCH_INTERVAL = 500;
/** Links or nodes in one event: its text is made in one go. */
const MOST_IN_EVENT = 2_000;
/** For how long agents go on as if somebody watched after the last one left: a page that is loaded again is no change. */
const LINGER = 10_000;

/** Takes events as text, ready to be sent. */
export type Watcher = (event: string) => void;

export interface WatchersOptions {
  readonly network: (id: NetworkId) => NetworkTelemetry | undefined;
  readonly networks: () => Iterable<readonly [NetworkId, NetworkTelemetry]>;
  readonly moment: () => Moment;
  /** Somebody begins to watch a network, or nobody does any more. */
  readonly onWatched: (id: NetworkId, network: NetworkTelemetry) => void;
}

/** Who watches which network, and what they are told: each batch is made once, for all of them. */
export class Watchers {
  readonly #of = new Map<NetworkId | undefined, Set<Watcher>>();
  /** Networks that nobody watches any more, until when it is as if somebody did; monotonic milliseconds. */
  readonly #lingering = new Map<NetworkId, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WatchersOptions) {}

  isWatched(id: NetworkId): boolean {
    return this.#hasWatchers(id) || this.#lingering.has(id);
  }

  /** @param id undefined: every network. @returns what ends it. */
  watch(id: NetworkId | undefined, watcher: Watcher): () => void {
    const watchers = this.#of.get(id) ?? new Set();
    watchers.add(watcher);
    this.#of.set(id, watchers);
    this.#settle();
    this.#timer ??= setInterval(() => this.#tick(), BATCH_INTERVAL).unref();
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#of.get(id) === watchers) this.#of.delete(id);
    };
  }

  /** A network came into being: maybe somebody watches all of them. */
  settleNetwork(id: NetworkId, network: NetworkTelemetry): void {
    const watched = this.isWatched(id);
    if (watched === network.changes.watched) return;
    network.changes.watch(watched);
    this.options.onWatched(id, network);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#of.clear();
  }

  #hasWatchers(id: NetworkId): boolean {
    return this.#of.has(id) || this.#of.has(undefined);
  }

  #settle(): void {
    for (const [id, network] of this.options.networks()) this.settleNetwork(id, network);
  }

  #tick(): void {
    const moment = this.options.moment();
    for (const [id, network] of this.options.networks()) {
      if (!network.changes.watched) continue;
      if (this.#hasWatchers(id)) {
        this.#lingering.set(id, moment.monotonic + LINGER);
        this.#tell(id, network, moment);
      } else if (moment.monotonic >= (this.#lingering.get(id) ?? 0)) this.#lingering.delete(id);
    }
    for (const id of this.#lingering.keys()) if (!this.options.network(id)) this.#lingering.delete(id);
    this.#settle();
    if (this.#of.size > 0 || this.#lingering.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(id: NetworkId, network: NetworkTelemetry, moment: Moment): void {
    const { links, nodes, gone } = network.changes.take(moment.monotonic);
    const known = nodes.filter((node) => network.nodes.get(node.id) === node);
    const events = [
      ...pieces(gone).map((part) => event('links', { networkId: id, links: [], gone: part.map(({ a, b }) => [a, b]) })),
      ...pieces(links).map((part) =>
        event('links', { networkId: id, links: part.map((link) => linkView(link, moment)), gone: [] }),
      ),
      ...pieces(known).map((part) =>
        event('nodes', { networkId: id, nodes: part.map((node) => ({ id: node.id, ...seenNode(node, moment) })) }),
      ),
    ];
    for (const text of events)
      for (const key of [id, undefined]) for (const watcher of this.#of.get(key) ?? []) watcher(text);
  }
}

function pieces<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < all.length; from += MOST_IN_EVENT) parts.push(all.slice(from, from + MOST_IN_EVENT));
  return parts;
}

/** Without an id: what was missed is read anew. */
const event = (type: 'links' | 'nodes', data: object): string =>
  `event: topology.${type}\ndata: ${JSON.stringify(data)}\n\n`;
