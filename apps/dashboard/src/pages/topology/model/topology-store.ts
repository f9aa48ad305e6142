import {
  emptyMesh,
  type LinksEvent,
  type Mesh,
  type MeshChange,
  mergeLinks,
  mergeNodes,
  type NodesEvent,
  replaceMesh,
  type Topology,
} from './mesh.js';

/** Kept to be said again after an answer that was asked for before them; milliseconds, and events. */
const REPLAYED_FOR = 20_000;
const MOST_REPLAYED = 200;
/** React shows numbers that change; more often than this nobody can read them. Milliseconds. */
const SHOWN_EVERY = 250;

type Kept =
  | { readonly at: number; readonly type: 'topology.links'; readonly data: LinksEvent }
  | { readonly at: number; readonly type: 'topology.nodes'; readonly data: NodesEvent };

/**
 * The topology of one network, outside React: events come many times a second and go to the canvas directly. What React
 * shows of it follows a few times a second.
 */
export class TopologyStore {
  readonly mesh: Mesh = emptyMesh();
  #networkId: string | undefined;
  #version = 0;
  #structure = 0;
  #kept: Kept[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #shown = new Set<() => void>();
  readonly #changed = new Set<(change: MeshChange) => void>();

  /** Grows with what React shows. */
  get version(): number {
    return this.#version;
  }

  /** Grows when something came, went or looks otherwise. */
  get structure(): number {
    return this.#structure;
  }

  /** For useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#shown.add(listener);
    return () => void this.#shown.delete(listener);
  };

  /** Every batch at once. */
  onChange(listener: (change: MeshChange) => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  /** @param askedAt when the answer was asked for: what came since is newer than it. Milliseconds. */
  replace(topology: Topology, askedAt: number): void {
    const first = this.#networkId !== topology.networkId;
    if (first) {
      this.mesh.nodes.clear();
      this.mesh.links.clear();
    }
    this.#networkId = topology.networkId;
    const change = replaceMesh(this.mesh, topology);
    // Nothing "comes" that was there before the page looked.
    this.#tell(first ? { ...change, appeared: [], vanished: [], changedLinks: [], goneLinks: [] } : change);
    for (const kept of this.#kept) if (kept.at >= askedAt) this.#apply(kept);
    if (first) this.#show();
  }

  /** Takes what is no event of this network, or is not what it should be, for nothing. */
  take(event: { readonly type: string; readonly data: unknown }, now: number): void {
    const kept = read(event, now);
    if (!kept) return;
    this.#kept = [...this.#kept.filter(({ at }) => now - at < REPLAYED_FOR), kept].slice(-MOST_REPLAYED);
    this.#apply(kept);
  }

  #apply(kept: Kept): void {
    if (kept.data.networkId !== this.#networkId) return;
    this.#tell(kept.type === 'topology.links' ? mergeLinks(this.mesh, kept.data) : mergeNodes(this.mesh, kept.data));
  }

  #tell(change: MeshChange): void {
    if (change.structure) this.#structure += 1;
    for (const listener of this.#changed) listener(change);
    this.#timer ??= setTimeout(() => this.#show(), SHOWN_EVERY);
  }

  #show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#version += 1;
    for (const listener of this.#shown) listener();
  }
}

function read({ type, data }: { readonly type: string; readonly data: unknown }, at: number): Kept | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const event = data as Partial<LinksEvent & NodesEvent>;
  if (type === 'topology.links' && Array.isArray(event.links) && Array.isArray(event.gone))
    return { at, type, data: data as LinksEvent };
  if (type === 'topology.nodes' && Array.isArray(event.nodes)) return { at, type, data: data as NodesEvent };
  return undefined;
}
