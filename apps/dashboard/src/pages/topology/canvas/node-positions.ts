import { groupNodes } from '../model/grouping.js';
import { layoutGraph } from '../model/layout-graph.js';
import { linkKey, type Mesh, type TopologyNode } from '../model/mesh.js';
import { type Point, seedLayout } from '../model/seed-layout.js';
import type { LayoutProgress, LayoutRequest } from './layout-worker.js';
import { readSaved, writeSaved } from './saved-positions.js';

/** More nodes are not simulated: it would take minutes, and show a ball. They stay at their seeds. */
const MOST_SIMULATED = 3_000;
/** In small networks everybody makes room for who comes; in larger ones who is there stays. */
const MOVED_UP_TO = 30;
const SAVED_AFTER = 1_000;

/** Where the nodes of one network are: as they were on the last visit; who is new finds a place. */
export class NodePositions {
  /** World units; changed in place. */
  readonly points = new Map<string, Point>();
  #settled: Set<string>;
  #worker: Worker | undefined;
  #run = 0;
  #running: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #moved = new Set<() => void>();
  /** Asked once: asking makes the browser work out all styles. */
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

  constructor(private readonly network: string) {
    const saved = readSaved(network);
    for (const [id, point] of saved) this.points.set(id, point);
    this.#settled = new Set(saved.keys());
  }

  /** @returns what takes that back. */
  onMove(listener: () => void): () => void {
    this.#moved.add(listener);
    return () => void this.#moved.delete(listener);
  }

  /** Finds places for nodes that have none. */
  update(mesh: Mesh): void {
    const nodes = [...mesh.nodes.values()];
    if (nodes.every(({ id }) => this.points.has(id))) return;
    this.#arrange(mesh, nodes);
  }

  /** Forgets where everybody was. */
  again(mesh: Mesh): void {
    this.points.clear();
    this.#settled.clear();
    this.#arrange(mesh, [...mesh.nodes.values()]);
  }

  /** Somebody put a node there. */
  put(id: string, point: Point): void {
    this.points.set(id, point);
    this.#settled.add(id);
    this.#save();
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    writeSaved(this.network, this.points);
  }

  #arrange(mesh: Mesh, nodes: readonly TopologyNode[]): void {
    const known = new Map<string, Point>();
    for (const id of this.#settled) {
      const point = this.points.get(id);
      if (point && mesh.nodes.has(id)) known.set(id, point);
    }
    const seeds = seedsFor(mesh, nodes, known);
    for (const { id } of nodes) if (!this.points.has(id)) this.points.set(id, seeds.get(id)!);
    for (const listener of this.#moved) listener();
    if (nodes.length > MOST_SIMULATED) return;
    const stay = nodes.length > MOVED_UP_TO ? known : new Map<string, Point>();
    this.#running = nodes.map(({ id }) => id);
    this.#run += 1;
    this.#worker ??= this.#start();
    const request: LayoutRequest = { run: this.#run, graph: layoutGraph(mesh, nodes, this.points, stay) };
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<LayoutProgress>) => this.#take(data);
    return worker;
  }

  #take({ run, xs, ys, done }: LayoutProgress): void {
    if (run !== this.#run) return;
    // Every step would be motion that nobody asked for.
    if (!done && this.#calm) return;
    for (const [i, id] of this.#running.entries()) {
      this.points.set(id, { x: xs[i]!, y: ys[i]! });
      if (done) this.#settled.add(id);
    }
    for (const listener of this.#moved) listener();
    if (done) this.#save();
  }

  #save(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      writeSaved(this.network, this.points);
    }, SAVED_AFTER);
  }
}

/** Among those they talk to, or with nobody there yet: around their bounce. */
function seedsFor(
  mesh: Mesh,
  nodes: readonly TopologyNode[],
  known: ReadonlyMap<string, Point>,
): ReadonlyMap<string, Point> {
  const { positions } = seedLayout(groupNodes(mesh, nodes, 'bounce'));
  if (known.size === 0) return positions;
  const bounces = [...mesh.nodes.values()].filter(({ role }) => role === 'bounce');
  const seeds = new Map<string, Point>();
  for (const [index, node] of nodes.entries()) {
    if (known.has(node.id)) continue;
    const near = [node.home, ...bounces.map(({ id }) => id)].find(
      (id) => id !== null && known.has(id) && (id === node.home || mesh.links.has(linkKey(id, node.id))),
    );
    const { x, y } = known.get(near ?? '') ?? positions.get(node.id)!;
    const angle = index * 2.4;
    seeds.set(node.id, near ? { x: x + 60 * Math.cos(angle), y: y + 60 * Math.sin(angle) } : { x, y });
  }
  return seeds;
}
