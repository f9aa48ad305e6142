import { formatRate, formatRtt } from '../../../ui/format.js';
import { type Camera, type Size, seen, toScreen } from '../model/camera.js';
import { type Label, placeLabels } from '../model/label-placement.js';
import { emptyScene, type Scene, type SceneEdge, type SceneNode } from '../model/scene.js';
import { SpatialIndex } from '../model/spatial.js';
import { Changes } from './changes.js';
import { paintEdges } from './edge-painter.js';
import { type Palette, readPalette } from './palette.js';
import { Sprites, shapePath } from './shapes.js';
import { paintTraffic } from './traffic-painter.js';

/** Marks grow with the view, but neither to nothing nor to walls. */
const sizeAt = (scale: number): number => Math.min(1.5, Math.max(0.3, scale ** 0.7));
const MOST_LABELS = 160;
const MOST_LABELS_MOVING = 70;
const MOST_CANDIDATES = 600;
/** More dots on lines are no longer told apart. */
const TRAFFIC_EVERY = 42;
/** After the last movement the view is drawn with everything. Milliseconds. */
const STILL_AFTER = 140;

/** What is picked out: everything else steps back. */
export interface Highlight {
  readonly selected: ReadonlySet<string>;
  /** Key of the selected pair's edge. */
  readonly edge: string | undefined;
}

/**
 * Draws a scene on two canvases: the graph on one, only when something changed; what moves all the time (traffic) on one
 * above it. World positions are read from the scene at each frame.
 */
export class GraphRenderer {
  readonly changes = new Changes();
  #scene: Scene = emptyScene;
  #ranked: readonly SceneNode[] | undefined = [];
  #index: SpatialIndex | undefined;
  #camera: Camera = { scale: 1, x: 0, y: 0 };
  #size: Size = { width: 0, height: 0 };
  #dpr = 1;
  #palette: Palette;
  #sprites: Sprites;
  #highlight: Highlight = { selected: new Set(), edge: undefined };
  #lit: ReadonlySet<SceneEdge> | undefined;
  #focus: string | undefined;
  #hover: string | undefined;
  /** The view or the layout moves, or has not begun: speed before looks. */
  #moving = true;
  #still: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #painted = false;
  readonly #widths = new Map<string, number>();
  readonly #base: CanvasRenderingContext2D;
  readonly #over: CanvasRenderingContext2D;

  constructor(
    base: HTMLCanvasElement,
    over: HTMLCanvasElement,
    private readonly options: { readonly calm: boolean; readonly onLeftOut: (count: number) => void },
  ) {
    this.#base = base.getContext('2d', { alpha: false })!;
    this.#over = over.getContext('2d')!;
    this.#palette = readPalette();
    this.#sprites = new Sprites(this.#palette, this.#dpr);
    if (!options.calm) this.#ticker = setInterval(() => this.#tick(), TRAFFIC_EVERY);
  }

  get camera(): Camera {
    return this.#camera;
  }
  get size(): Size {
    return this.#size;
  }
  get scene(): Scene {
    return this.#scene;
  }

  setScene(scene: Scene): void {
    this.#scene = scene;
    this.#ranked = undefined;
    this.moved();
    this.#relight();
  }

  /** Marks are elsewhere. */
  moved(): void {
    this.#index = undefined;
    this.invalidate();
  }

  setCamera(camera: Camera): void {
    this.#camera = camera;
    this.keepMoving(STILL_AFTER);
    this.invalidate();
  }

  /** Draws with speed before looks for so many milliseconds. */
  keepMoving(duration: number): void {
    this.#moving = true;
    clearTimeout(this.#still);
    this.#still = setTimeout(() => {
      this.#moving = false;
      this.invalidate();
    }, duration);
  }

  setHighlight(highlight: Highlight): void {
    this.#highlight = highlight;
    this.#relight();
    this.invalidate();
  }

  setFocus(id: string | undefined): void {
    if (this.#focus === id) return;
    this.#focus = id;
    this.invalidate();
  }

  setHover(id: string | undefined): void {
    if (this.#hover === id) return;
    this.#hover = id;
    this.invalidate();
  }

  resize(size: Size, dpr: number): void {
    this.#size = size;
    this.#dpr = Math.min(dpr, 2);
    for (const { canvas } of [this.#base, this.#over]) {
      canvas.width = Math.max(1, Math.round(size.width * this.#dpr));
      canvas.height = Math.max(1, Math.round(size.height * this.#dpr));
    }
    this.recolour();
    // At once: a canvas that was resized is empty.
    this.#draw();
  }

  recolour(): void {
    this.#palette = readPalette();
    this.#sprites = new Sprites(this.#palette, this.#dpr);
    this.invalidate();
  }

  /** The mark at a point of the screen. @param slack CSS pixels beyond its edge that still count */
  nodeAt(x: number, y: number, slack: number): SceneNode | undefined {
    const { scale } = this.#camera;
    const at = { x: (x - this.#camera.x) / scale, y: (y - this.#camera.y) / scale };
    return this.index.at(at, slack / scale, (node) => this.#radius(node) / scale);
  }

  get index(): SpatialIndex {
    this.#index ??= new SpatialIndex(this.#scene.nodes);
    return this.#index;
  }

  invalidate(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#still);
    clearInterval(this.#ticker);
  }

  #radius(node: SceneNode): number {
    return node.group ? Math.max(14, node.r * this.#camera.scale) : node.r * sizeAt(this.#camera.scale);
  }

  #relight(): void {
    const { selected, edge } = this.#highlight;
    if (selected.size === 0) this.#lit = undefined;
    else {
      const edges = [...selected].flatMap((id) => this.#scene.edgesOf.get(id) ?? []);
      this.#lit = new Set(edge === undefined ? edges : edges.filter(({ key }) => key === edge));
    }
  }

  #draw(): void {
    const { width, height } = this.#size;
    if (width === 0) return;
    const now = performance.now();
    const moving = this.#moving;
    const context = this.#base;
    context.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
    context.fillStyle = this.#palette.canvas;
    context.fillRect(0, 0, width, height);
    this.#drawOutlines(context);
    const frame = { camera: this.#camera, size: this.#size, palette: this.#palette, moving, lit: this.#lit };
    const left = paintEdges(context, this.#scene.edges, frame);
    if (!moving) this.options.onLeftOut(left);
    const visible = this.index.within(seen(this.#camera, this.#size, 20));
    this.changes.paintEdges(context, this.#scene, this.#camera, this.#palette, now);
    this.#drawNodes(context, visible, now);
    this.changes.paintGone(context, this.#camera, this.#palette, now);
    this.#drawLabels(context, visible, moving);
    if (this.changes.active(now)) this.invalidate();
    if (!this.#painted && this.#scene.nodes.length > 0) {
      this.#painted = true;
      performance.mark('warren:graph-painted');
    }
  }

  #drawOutlines(context: CanvasRenderingContext2D): void {
    context.lineWidth = 1;
    context.strokeStyle = this.#palette.line;
    for (const { circle } of this.#scene.outlines) {
      const { x, y } = toScreen(this.#camera, circle);
      context.beginPath();
      context.arc(x, y, circle.r * this.#camera.scale, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  #drawNodes(context: CanvasRenderingContext2D, visible: readonly SceneNode[], now: number): void {
    const near = this.#neighbours();
    for (const node of visible) {
      const { x, y } = toScreen(this.#camera, node);
      const r = this.#radius(node) * this.changes.growth(node.id, now);
      context.globalAlpha = node.faded ? 0.16 : near && !near.has(node.id) ? 0.3 : 1;
      if (r < 2.2) {
        context.fillStyle = this.#palette.states[node.state].ring;
        context.fillRect(x - r, y - r, r * 2, r * 2);
      } else if (node.group) this.#drawGroup(context, node, x, y, r);
      else this.#sprites.draw(context, node, x, y, r);
    }
    context.globalAlpha = 1;
    for (const id of this.#highlight.selected) this.#ring(context, id, this.#palette.accent, 3);
    if (this.#hover !== undefined) this.#ring(context, this.#hover, this.#palette.muted, 1.5);
    if (this.#focus !== undefined) this.#ring(context, this.#focus, this.#palette.ink, 2);
  }

  /** A closed group: a disc with how many are in it. */
  #drawGroup(context: CanvasRenderingContext2D, node: SceneNode, x: number, y: number, r: number): void {
    const { ring } = this.#palette.states[node.state];
    context.beginPath();
    context.arc(x, y, r, 0, 2 * Math.PI);
    context.fillStyle = this.#palette.surface;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = ring;
    context.stroke();
    if (node.warned) {
      context.beginPath();
      context.arc(x + r * 0.71, y - r * 0.71, 5, 0, 2 * Math.PI);
      context.fillStyle = this.#palette.warn;
      context.fill();
    }
    context.fillStyle = this.#palette.ink;
    context.font = `600 ${Math.min(22, Math.max(11, r * 0.55))}px ${this.#palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(String(node.group!.members.length), x, y);
  }

  #neighbours(): ReadonlySet<string> | undefined {
    const lit = this.#lit;
    if (!lit) return undefined;
    const near = new Set(this.#highlight.selected);
    for (const { from, to } of lit) near.add(from.id).add(to.id);
    return near;
  }

  #ring(context: CanvasRenderingContext2D, id: string, colour: string, width: number): void {
    const node = this.#scene.byId.get(id);
    if (!node) return;
    const { x, y } = toScreen(this.#camera, node);
    const r = this.#radius(node) + 4 + width / 2;
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.setLineDash([]);
    context.stroke(shapePath('client', x, y, r * 1.1));
  }

  #drawLabels(context: CanvasRenderingContext2D, visible: readonly SceneNode[], moving: boolean): void {
    const chosen = new Set([...this.#highlight.selected, this.#hover, this.#focus]);
    const first = visible.filter(({ id }) => chosen.has(id));
    const near = this.#neighbours();
    const rest = this.#rankedOf(visible).filter(({ id }) => !chosen.has(id) && (!near || near.has(id)));
    context.font = `12px ${this.#palette.font}`;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const labels: (Label & { weight: number })[] = this.#edgeLabels(context);
    for (const node of [...first, ...rest.slice(0, MOST_CANDIDATES)]) {
      if (node.faded) continue;
      const { x, y } = toScreen(this.#camera, node);
      const r = this.#radius(node);
      const width = this.#widthOf(context, node.label);
      labels.push({ text: node.label, x: x - width / 2, y: y + r + 11, width, weight: chosen.has(node.id) ? 1 : 0 });
    }
    const placed = placeLabels(labels, moving ? MOST_LABELS_MOVING : MOST_LABELS);
    context.fillStyle = this.#palette.canvas;
    context.globalAlpha = 0.78;
    for (const { x, y, width } of placed) context.fillRect(Math.round(x) - 2, Math.round(y) - 7, width + 4, 15);
    context.globalAlpha = 1;
    for (const { text, x, y, weight } of placed) {
      context.fillStyle = weight === 1 ? this.#palette.ink : this.#palette.muted;
      context.fillText(text, Math.round(x), Math.round(y) + 1);
    }
  }

  /** What the chosen lines measure: round trip and traffic. */
  #edgeLabels(context: CanvasRenderingContext2D): (Label & { weight: number })[] {
    if (!this.#lit || this.#lit.size > 60) return [];
    const labels: (Label & { weight: number })[] = [];
    for (const { entry, from, to, faded } of this.#lit) {
      if (!entry || faded) continue;
      const { rttMs, rate } = entry.link;
      const text = [rttMs === null ? '' : formatRtt(rttMs), rate >= 1 ? formatRate(rate) : '']
        .filter(Boolean)
        .join(' · ');
      if (text === '') continue;
      const [a, b] = [toScreen(this.#camera, from), toScreen(this.#camera, to)];
      const width = this.#widthOf(context, text);
      labels.push({ text, x: (a.x + b.x) / 2 - width / 2, y: (a.y + b.y) / 2, width, weight: 1 });
    }
    return labels;
  }

  #widthOf(context: CanvasRenderingContext2D, text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      width = context.measureText(text).width;
      if (this.#widths.size > 20_000) this.#widths.clear();
      this.#widths.set(text, width);
    }
    return width;
  }

  /** Of what is seen, in the order of who is labelled first. */
  #rankedOf(visible: readonly SceneNode[]): readonly SceneNode[] {
    this.#ranked ??= [...this.#scene.nodes].sort((a, b) => b.rank - a.rank);
    if (visible.length === this.#scene.nodes.length) return this.#ranked;
    const there = new Set(visible);
    return this.#ranked.filter((node) => there.has(node));
  }

  #tick(): void {
    if (document.hidden || this.#size.width === 0) return;
    const context = this.#over;
    context.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
    const scene = { edges: this.#moving ? [] : this.#scene.edges, lit: this.#lit };
    paintTraffic(context, scene, this.#camera, this.#size, this.#palette);
  }
}
