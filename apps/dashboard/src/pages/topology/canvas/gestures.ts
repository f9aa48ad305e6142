import { pan, toWorld, zoom } from '../model/camera.js';
import type { SceneEdge, SceneNode } from '../model/scene.js';
import { edgeAt } from '../model/spatial.js';
import type { GraphRenderer } from './graph-renderer.js';

/** A finger covers more than a pointer does. CSS pixels. */
const SLACK = { mouse: 5, other: 14 } as const;
/** Less is a click by an unsteady hand. */
const DRAG_FROM = 4;

export interface GestureTargets {
  readonly onPick: (target: { node?: SceneNode | undefined; edge?: SceneEdge | undefined; add: boolean }) => void;
  /** Twice on the same. */
  readonly onOpen: (node: SceneNode) => void;
  readonly onDragged: (node: SceneNode) => void;
  /** The view was moved by hand: it no longer follows the layout. */
  readonly onCamera: () => void;
}

/** Mouse, pen and fingers: pan, pinch, wheel, drag a node, pick. @returns what stops listening. */
export function listen(surface: HTMLElement, renderer: GraphRenderer, targets: GestureTargets): () => void {
  const gestures = new Gestures(surface, renderer, targets);
  const off = new AbortController();
  const { signal } = off;
  surface.addEventListener('pointerdown', gestures.down, { signal });
  surface.addEventListener('pointermove', gestures.move, { signal });
  surface.addEventListener('pointerup', gestures.up, { signal });
  surface.addEventListener('pointercancel', gestures.cancel, { signal });
  surface.addEventListener('pointerleave', () => renderer.setHover(undefined), { signal });
  surface.addEventListener('dblclick', gestures.twice, { signal });
  surface.addEventListener('wheel', gestures.wheel, { signal, passive: false });
  return () => off.abort();
}

interface Held {
  readonly id: number;
  x: number;
  y: number;
}

class Gestures {
  #held: Held[] = [];
  #from: { x: number; y: number } | undefined;
  #node: SceneNode | undefined;
  #dragging = false;

  constructor(
    private readonly surface: HTMLElement,
    private readonly renderer: GraphRenderer,
    private readonly targets: GestureTargets,
  ) {}

  readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = this.#at(event);
    this.surface.setPointerCapture(event.pointerId);
    this.#held = [...this.#held.filter(({ id }) => id !== event.pointerId), { id: event.pointerId, ...at }].slice(-2);
    this.#from = this.#held.length === 1 ? at : undefined;
    this.#node = this.#held.length === 1 ? this.renderer.nodeAt(at.x, at.y, slackOf(event)) : undefined;
    this.#dragging = false;
  };

  readonly move = (event: PointerEvent): void => {
    const at = this.#at(event);
    const held = this.#held.find(({ id }) => id === event.pointerId);
    if (!held) {
      const over = this.renderer.nodeAt(at.x, at.y, SLACK.mouse);
      this.renderer.setHover(over?.id);
      this.surface.style.cursor = over ? 'pointer' : 'grab';
      return;
    }
    if (this.#held.length === 2) this.#pinch(held, at);
    else this.#drag(held, at);
    held.x = at.x;
    held.y = at.y;
  };

  readonly up = (event: PointerEvent): void => {
    const single = this.#held.length === 1;
    const at = this.#at(event);
    this.#held = this.#held.filter(({ id }) => id !== event.pointerId);
    if (!single || event.button !== 0) return;
    if (this.#dragging) {
      if (this.#node && !this.#node.group) this.targets.onDragged(this.#node);
    } else if (this.#from) this.#pick(event, at);
    this.#from = undefined;
  };

  readonly cancel = (event: PointerEvent): void => {
    this.#held = this.#held.filter(({ id }) => id !== event.pointerId);
    this.#from = undefined;
  };

  readonly twice = (event: MouseEvent): void => {
    const at = this.#at(event);
    const node = this.renderer.nodeAt(at.x, at.y, SLACK.mouse);
    if (node) this.targets.onOpen(node);
    else this.#zoom(event.shiftKey ? 0.5 : 2, at);
  };

  readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    // Lines and pages where the browser counts so; a pinch on a touchpad comes as a wheel with Control.
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode]!;
    this.#zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016)), this.#at(event));
  };

  #at({ clientX, clientY }: MouseEvent): { x: number; y: number } {
    const { left, top } = this.surface.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  #zoom(factor: number, at: { x: number; y: number }): void {
    this.renderer.setCamera(zoom(this.renderer.camera, factor, at));
    this.targets.onCamera();
  }

  #pinch(held: Held, at: { x: number; y: number }): void {
    const other = this.#held.find((one) => one !== held)!;
    const before = Math.hypot(held.x - other.x, held.y - other.y);
    const after = Math.hypot(at.x - other.x, at.y - other.y);
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const moved = pan(this.renderer.camera, (at.x - held.x) / 2, (at.y - held.y) / 2);
    this.renderer.setCamera(zoom(moved, before > 0 ? after / before : 1, middle));
    this.targets.onCamera();
  }

  #drag(held: Held, at: { x: number; y: number }): void {
    if (!this.#dragging) {
      if (!this.#from || Math.hypot(at.x - this.#from.x, at.y - this.#from.y) < DRAG_FROM) return;
      this.#dragging = true;
    }
    const [dx, dy] = [at.x - held.x, at.y - held.y];
    const node = this.#node;
    if (node && !node.group) {
      node.x += dx / this.renderer.camera.scale;
      node.y += dy / this.renderer.camera.scale;
      this.renderer.moved();
      return;
    }
    this.surface.style.cursor = 'grabbing';
    this.renderer.setCamera(pan(this.renderer.camera, dx, dy));
    this.targets.onCamera();
  }

  #pick(event: PointerEvent, at: { x: number; y: number }): void {
    const { renderer } = this;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    if (this.#node) {
      this.targets.onPick({ node: this.#node, add });
      return;
    }
    const world = toWorld(renderer.camera, at);
    const edge = edgeAt(renderer.scene.edges, world, slackOf(event) / renderer.camera.scale);
    this.targets.onPick({ edge, add });
  }
}

const slackOf = ({ pointerType }: PointerEvent): number => (pointerType === 'mouse' ? SLACK.mouse : SLACK.other);
