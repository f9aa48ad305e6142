import type { Link } from './link.js';
import type { NodeState } from './node-state.js';

/** What has changed in a network since somebody asked: kept only while somebody watches. */
export class Changes {
  #watched = false;
  #links = new Set<Link>();
  #nodes = new Set<NodeState>();
  #gone = new Set<Link>();
  /** Who has a rate: it falls to nothing by itself when no report comes. */
  readonly #moving = { links: new Set<Link>(), nodes: new Set<NodeState>() };

  get watched(): boolean {
    return this.#watched;
  }

  watch(on: boolean): void {
    this.#watched = on;
    this.take(0);
    this.#moving.links.clear();
    this.#moving.nodes.clear();
  }

  link(link: Link): void {
    if (this.#watched) this.#links.add(link);
  }

  node(node: NodeState): void {
    if (this.#watched) this.#nodes.add(node);
  }

  /** The same pair may come again, as another link. */
  gone(link: Link): void {
    this.#links.delete(link);
    this.#moving.links.delete(link);
    if (this.#watched) this.#gone.add(link);
  }

  /** @param now monotonic milliseconds */
  take(now: number): { links: Link[]; nodes: NodeState[]; gone: Link[] } {
    this.#settle(this.#moving.links, this.#links, (link) => link.rate(now));
    this.#settle(this.#moving.nodes, this.#nodes, (node) => node.rxRate(now) + node.txRate(now));
    const taken = { links: [...this.#links], nodes: [...this.#nodes], gone: [...this.#gone] };
    this.#links = new Set();
    this.#nodes = new Set();
    this.#gone = new Set();
    return taken;
  }

  /** Whoever moved and stands still is news. */
  #settle<T>(moving: Set<T>, news: Set<T>, rate: (one: T) => number): void {
    for (const one of moving) {
      if (rate(one) > 0) continue;
      moving.delete(one);
      news.add(one);
    }
    for (const one of news) if (rate(one) > 0) moving.add(one);
  }
}
