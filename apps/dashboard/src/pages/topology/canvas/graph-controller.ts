import { cameraOver, toWorld, zoom } from '../model/camera.js';
import type { Group } from '../model/grouping.js';
import { linkKey } from '../model/mesh.js';
import type { Scene, SceneNode } from '../model/scene.js';
import type { Point } from '../model/seed-layout.js';
import type { TopologyStore } from '../model/topology-store.js';
import { listen } from './gestures.js';
import { GraphRenderer } from './graph-renderer.js';
import type { NodePositions } from './node-positions.js';

interface Listeners {
  readonly onSelect: (node: string | undefined, peer: string | undefined) => void;
  readonly onOpenGroup: (group: Group) => void;
  readonly onLeftOut: (count: number) => void;
  readonly onFocus: (node: SceneNode | undefined, scene: Scene) => void;
  /** Something was selected by keyboard: its details want the focus. */
  readonly onEnter: () => void;
}

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** With more lines, those whose measurements changed are drawn anew only so often; milliseconds. */
const CROWDED = 1_000;
const MEASURED_EVERY = 2_000;
/** Positions come from a running layout in less time than this. Milliseconds. */
const LAYOUT_STEP = 500;

/** Smaller than that a mark cannot be told from its neighbours. */
const MARKS_FROM = 0.25;

/** Holds together what happens on the canvas without React: drawing, gestures, keys, the running layout. */
export class GraphController {
  readonly #renderer: GraphRenderer;
  readonly #stop: (() => void)[] = [];
  #selected: string | undefined;
  #peer: string | undefined;
  #focus: string | undefined;
  /** Until the view is moved by hand it shows everything. */
  #follows = true;
  /** Kept in view while the layout moves it. */
  #revealed: string | undefined;
  #shown = false;
  #groupPositions: Map<string, Point> | undefined;
  #measuredAt = 0;

  constructor(
    private readonly surface: HTMLElement,
    private readonly store: TopologyStore,
    private readonly positions: NodePositions,
    private readonly listeners: Listeners,
  ) {
    const [base, over] = surface.querySelectorAll('canvas');
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#renderer = new GraphRenderer(base!, over!, { calm, onLeftOut: listeners.onLeftOut });
    this.#stop.push(listen(surface, this.#renderer, this.#targets()));
    this.#stop.push(positions.onMove(() => this.#moved()));
    this.#stop.push(
      store.onChange((change) => {
        if (!calm) this.#renderer.changes.note(change, this.#renderer.scene, performance.now());
        // Widths of thousands of lines can wait; dots tell of traffic meanwhile.
        const now = performance.now();
        const crowded = this.#renderer.scene.edges.length > CROWDED;
        if (!change.structure && crowded && now - this.#measuredAt < MEASURED_EVERY) return;
        this.#measuredAt = now;
        this.#renderer.invalidate();
      }),
    );
    const observer = new ResizeObserver(() => this.#resized());
    observer.observe(surface);
    this.#stop.push(() => observer.disconnect());
    surface.addEventListener('keydown', this.#key);
    surface.addEventListener('blur', this.#blur);
    this.#stop.push(() => surface.removeEventListener('keydown', this.#key));
    this.#stop.push(() => surface.removeEventListener('blur', this.#blur));
  }

  show(scene: Scene, groupPositions: Map<string, Point> | undefined): void {
    const regrouped = (groupPositions === undefined) !== (this.#groupPositions === undefined);
    this.#groupPositions = groupPositions;
    this.#renderer.setScene(scene);
    if (this.#focus !== undefined && !scene.byId.has(this.#focus)) this.#turnTo(undefined);
    this.#highlight();
    if (this.#follows || regrouped) this.fitAll();
    // A link to a node is a link to where it is.
    if (!this.#shown && this.#renderer.size.width > 0 && scene.nodes.length > 0) {
      this.#shown = true;
      if (this.#renderer.camera.scale < MARKS_FROM) this.#reveal(this.#selected);
    }
  }

  select(node: string | undefined, peer: string | undefined): void {
    const other = node !== this.#selected;
    this.#selected = node;
    this.#peer = peer;
    this.#highlight();
    if (other) this.#reveal(node);
  }

  recolour(): void {
    this.#renderer.recolour();
  }

  zoomBy(factor: number): void {
    const { width, height } = this.#renderer.size;
    this.#follows = false;
    this.#renderer.setCamera(zoom(this.#renderer.camera, factor, { x: width / 2, y: height / 2 }));
  }

  fitAll(): void {
    this.#follows = true;
    const { scene, size } = this.#renderer;
    if (size.width > 0) this.#renderer.setCamera(cameraOver(extent(scene), size));
  }

  /** Forgets every position and lays out again. */
  arrange(): void {
    this.#follows = true;
    this.positions.again(this.store.mesh);
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.#renderer.close();
  }

  #targets() {
    return {
      onPick: ({ node, edge, add }: Parameters<Parameters<typeof listen>[2]['onPick']>[0]) => {
        if (node?.group) this.#open(node);
        else if (node) this.#pick(node.id, add);
        else if (edge?.entry) this.listeners.onSelect(edge.entry.link.a, edge.entry.link.b);
        else if (!edge) this.listeners.onSelect(undefined, undefined);
      },
      onOpen: (node: SceneNode) => this.#reveal(node.id),
      onDragged: ({ id, x, y }: SceneNode) => {
        if (this.#groupPositions) this.#groupPositions.set(id, { x, y });
        else this.positions.put(id, { x, y });
        this.#follows = false;
      },
      onCamera: () => {
        this.#follows = false;
        this.#revealed = undefined;
      },
    };
  }

  #open(node: SceneNode): void {
    this.listeners.onOpenGroup(node.group!);
    this.#follows = false;
    const { size } = this.#renderer;
    // Its members fill the place where it stood.
    const r = node.r / 0.55;
    const corners = [-r, r].flatMap((dx) => [-r, r].map((dy) => ({ x: node.x + dx, y: node.y + dy })));
    if (this.#renderer.camera.scale * r * 2 < Math.min(size.width, size.height) * 0.5)
      this.#renderer.setCamera(cameraOver(corners, size, 20));
  }

  #pick(id: string, add: boolean): void {
    if (add && this.#selected !== undefined && this.#selected !== id) this.listeners.onSelect(this.#selected, id);
    else this.listeners.onSelect(id, undefined);
  }

  #highlight(): void {
    const ids = [this.#selected, this.#peer].filter((id) => id !== undefined);
    const edge =
      this.#selected !== undefined && this.#peer !== undefined ? linkKey(this.#selected, this.#peer) : undefined;
    this.#renderer.setHighlight({ selected: new Set(ids), edge });
  }

  /** Moves the view so that a node is in it. */
  #reveal(id: string | undefined): void {
    this.#revealed = id;
    const node = id === undefined ? undefined : this.#renderer.scene.byId.get(id);
    if (!node || this.#renderer.size.width === 0) return;
    // As long as nobody has moved the view, all of it is in view, if it can be.
    if (this.#follows) this.fitAll();
    const { camera, size } = this.#renderer;
    const [x, y] = [node.x * camera.scale + camera.x, node.y * camera.scale + camera.y];
    // Less than what is left around all of it.
    const margin = 40;
    if (x > margin && x < size.width - margin && y > margin && y < size.height - margin && camera.scale > MARKS_FROM)
      return;
    this.#follows = false;
    const scale = Math.max(camera.scale, 0.7);
    this.#renderer.setCamera({ scale, x: size.width / 2 - node.x * scale, y: size.height / 2 - node.y * scale });
  }

  /** The layout went on. */
  #moved(): void {
    if (this.#groupPositions) return;
    const { scene } = this.#renderer;
    for (const node of scene.nodes) {
      const point = this.positions.points.get(node.id);
      if (!point) continue;
      node.x = point.x;
      node.y = point.y;
    }
    this.#renderer.moved();
    if (this.#follows) this.fitAll();
    else this.#reveal(this.#revealed);
    this.#renderer.keepMoving(LAYOUT_STEP);
  }

  #resized(): void {
    const { width, height } = this.surface.getBoundingClientRect();
    const first = this.#renderer.size.width === 0;
    this.#renderer.resize({ width, height }, window.devicePixelRatio);
    if (this.#follows) this.fitAll();
    else this.#reveal(this.#selected);
    if (first) this.show(this.#renderer.scene, this.#groupPositions);
  }

  #turnTo(node: SceneNode | undefined): void {
    this.#focus = node?.id;
    this.#renderer.setFocus(node?.id);
    this.listeners.onFocus(node, this.#renderer.scene);
    this.#reveal(node?.id);
  }

  readonly #blur = (): void => this.#renderer.setFocus(undefined);

  readonly #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction) this.#step(direction);
    else if (event.key === 'Enter' || event.key === ' ') this.#enter(event.shiftKey);
    else if (event.key === '+' || event.key === '=') this.zoomBy(1.3);
    else if (event.key === '-') this.zoomBy(1 / 1.3);
    else if (event.key === '0') this.fitAll();
    else if (event.key === 'Escape') this.listeners.onSelect(undefined, undefined);
    else return;
    event.preventDefault();
  };

  #step([dx, dy]: readonly [number, number]): void {
    const { scene, size, camera, index } = this.#renderer;
    const nodes = scene.nodes.filter(({ faded }) => !faded);
    const from = scene.byId.get(this.#focus ?? this.#selected ?? '');
    if (from && this.#focus !== undefined) {
      this.#turnTo(index.towards(from, dx, dy, nodes) ?? from);
      return;
    }
    const middle = toWorld(camera, { x: size.width / 2, y: size.height / 2 });
    const away = ({ x, y }: SceneNode): number => Math.hypot(x - middle.x, y - middle.y);
    this.#turnTo(from ?? nodes.reduce<SceneNode | undefined>((a, b) => (a && away(a) <= away(b) ? a : b), undefined));
  }

  #enter(add: boolean): void {
    const node = this.#renderer.scene.byId.get(this.#focus ?? '');
    if (!node) return;
    if (node.group) {
      this.#open(node);
      return;
    }
    this.#pick(node.id, add);
    this.listeners.onEnter();
  }
}

/** Corners of what is to be seen. */
function* extent(scene: Scene): Iterable<Point> {
  for (const { x, y, r, group } of scene.nodes) {
    if (!group) yield { x, y };
    else
      yield* [
        { x: x - r, y: y - r },
        { x: x + r, y: y + r },
      ];
  }
  for (const { circle } of scene.outlines) {
    yield { x: circle.x - circle.r, y: circle.y - circle.r };
    yield { x: circle.x + circle.r, y: circle.y + circle.r };
  }
}
