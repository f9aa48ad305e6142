import { type Camera, toScreen } from '../model/camera.js';
import type { MeshChange } from '../model/mesh.js';
import type { Scene, SceneEdge, SceneNode } from '../model/scene.js';
import type { Palette } from './palette.js';
import { shapePath } from './shapes.js';

/** Milliseconds. */
const GROWS = 500;
const FADES = 1_600;
const GLOWS = 1_800;
/** In a larger batch nobody sees what one of them did. */
const MOST_AT_ONCE = 300;

interface Gone {
  readonly at: number;
  readonly node: SceneNode | undefined;
  readonly edge: SceneEdge | undefined;
}

/** What came, went or changed a moment ago, as it is shown: nodes grow and fade, lines glow. */
export class Changes {
  /** Since it is drawn; undefined: the scene does not have it yet. */
  readonly #born = new Map<string, number | undefined>();
  readonly #glowing = new Map<string, number>();
  #gone: Gone[] = [];

  /** @param before the scene as it was before the change. */
  note(change: MeshChange, before: Scene, now: number): void {
    const { appeared, vanished, changedLinks, goneLinks } = change;
    if (appeared.length + vanished.length + changedLinks.length + goneLinks.length > MOST_AT_ONCE) return;
    for (const id of appeared) this.#born.set(id, undefined);
    for (const key of changedLinks) this.#glowing.set(key, now);
    const lost = new Set(goneLinks);
    for (const id of vanished) {
      const node = before.byId.get(id);
      if (node) this.#gone.push({ at: now, node, edge: undefined });
      for (const edge of before.edgesOf.get(id) ?? []) lost.add(edge.key);
    }
    if (lost.size === 0) return;
    for (const edge of before.edges)
      if (edge.entry && lost.has(edge.key)) this.#gone.push({ at: now, node: undefined, edge });
  }

  active(now: number): boolean {
    let growing = 0;
    for (const [id, at] of this.#born) {
      if (at === undefined) continue;
      if (now - at > GROWS) this.#born.delete(id);
      else growing += 1;
    }
    for (const [key, at] of this.#glowing) if (now - at > GLOWS) this.#glowing.delete(key);
    if (this.#gone.length > 0) this.#gone = this.#gone.filter(({ at }) => now - at < FADES);
    return growing + this.#glowing.size + this.#gone.length > 0;
  }

  /** Of a mark's size: from nothing to all of it. */
  growth(id: string, now: number): number {
    if (!this.#born.has(id)) return 1;
    const at = this.#born.get(id) ?? now;
    this.#born.set(id, at);
    const share = Math.min(1, (now - at) / GROWS);
    return 1 - (1 - share) ** 3;
  }

  paintEdges(context: CanvasRenderingContext2D, scene: Scene, camera: Camera, palette: Palette, now: number): void {
    if (this.#glowing.size === 0) return;
    context.setLineDash([]);
    for (const edge of scene.edges) {
      const at = this.#glowing.get(edge.key);
      if (at === undefined) continue;
      const left = Math.max(0, 1 - (now - at) / GLOWS);
      context.globalAlpha = left * 0.45;
      context.lineWidth = 4 + 8 * left;
      line(context, camera, edge, palette.paths[edge.look]);
    }
    context.globalAlpha = 1;
  }

  paintGone(context: CanvasRenderingContext2D, camera: Camera, palette: Palette, now: number): void {
    context.setLineDash([]);
    for (const { at, node, edge } of this.#gone) {
      const left = Math.max(0, 1 - (now - at) / FADES);
      context.globalAlpha = left;
      context.lineWidth = 2;
      if (edge) line(context, camera, edge, palette.bad);
      if (!node) continue;
      const { x, y } = toScreen(camera, node);
      context.strokeStyle = palette.bad;
      context.stroke(shapePath(node.shape, x, y, node.r * (1.6 - left * 0.6)));
    }
    context.globalAlpha = 1;
  }
}

function line(context: CanvasRenderingContext2D, camera: Camera, { from, to }: SceneEdge, colour: string): void {
  const [a, b] = [toScreen(camera, from), toScreen(camera, to)];
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
  context.stroke();
}
