import type { NodeShape, NodeState } from '../model/node-look.js';
import type { Palette } from './palette.js';

/** Outlines of what a node is, around the origin; equal in area as the eye sees them. Shared with the legend. */
export const SHAPE_POINTS: Readonly<Record<NodeShape, readonly (readonly [number, number])[]>> = {
  bounce: polygon(6, 1.08, 0),
  direct: polygon(4, 1.15, Math.PI / 4),
  // Many corners: a circle.
  client: polygon(24, 0.95, 0),
  vanilla: polygon(3, 1.2, -Math.PI / 2),
};

function polygon(corners: number, r: number, turn: number): [number, number][] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = turn + (i * 2 * Math.PI) / corners;
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
}

export function shapePath(shape: NodeShape, x: number, y: number, r: number): Path2D {
  const path = new Path2D();
  for (const [i, [px, py]] of SHAPE_POINTS[shape].entries())
    if (i === 0) path.moveTo(x + px * r, y + py * r);
    else path.lineTo(x + px * r, y + py * r);
  path.closePath();
  return path;
}

/**
 * Marks drawn once and copied from then on: without a GPU a copy costs a tenth of an outline.
 * Sizes are rounded to half a pixel, so there are few.
 */
export class Sprites {
  readonly #made = new Map<string, HTMLCanvasElement>();

  constructor(
    private readonly palette: Palette,
    private readonly dpr: number,
  ) {}

  /** @param r CSS pixels */
  draw(
    context: CanvasRenderingContext2D,
    mark: { readonly shape: NodeShape; readonly state: NodeState; readonly warned: boolean },
    x: number,
    y: number,
    r: number,
  ): void {
    const size = Math.max(1, Math.round(r * 2) / 2);
    const key = `${mark.shape} ${mark.state} ${mark.warned} ${size}`;
    let sprite = this.#made.get(key);
    if (!sprite) {
      sprite = this.#make(mark, size);
      this.#made.set(key, sprite);
    }
    const { dpr } = this;
    const [width, height] = [sprite.width / dpr, sprite.height / dpr];
    // On whole pixels nothing has to be interpolated.
    const left = Math.round((x - width / 2) * dpr) / dpr;
    const top = Math.round((y - height / 2) * dpr) / dpr;
    context.drawImage(sprite, left, top, width, height);
  }

  #make(
    { shape, state, warned }: { shape: NodeShape; state: NodeState; warned: boolean },
    r: number,
  ): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    const half = Math.ceil(r * 1.3 + 4);
    canvas.width = canvas.height = half * 2 * this.dpr;
    const context = canvas.getContext('2d')!;
    context.scale(this.dpr, this.dpr);
    context.translate(half, half);
    const { ring, fill } = this.palette.states[state];
    const outline = shapePath(shape, 0, 0, r);
    context.lineJoin = 'round';
    context.lineWidth = Math.min(2, Math.max(1, r / 4));
    context.fillStyle = fill;
    context.strokeStyle = ring;
    if (state === 'pending' && r > 4) context.setLineDash([3, 2.5]);
    context.fill(outline);
    context.stroke(outline);
    if (r > 5) this.#sign(context, state, r);
    if (warned && r > 3) this.#corner(context, r);
    return canvas;
  }

  /** States that need a sign besides their colour. */
  #sign(context: CanvasRenderingContext2D, state: NodeState, r: number): void {
    const by = r * 0.42;
    context.setLineDash([]);
    context.lineWidth = 1.75;
    context.beginPath();
    if (state === 'offline' || state === 'expired') {
      context.moveTo(-by, -by);
      context.lineTo(by, by);
      context.moveTo(by, -by);
      context.lineTo(-by, by);
    } else if (state === 'disabled') {
      context.moveTo(-by, 0);
      context.lineTo(by, 0);
    } else if (state === 'pending') {
      context.arc(0, 0, 1.2, 0, 2 * Math.PI);
    } else return;
    context.stroke();
  }

  #corner(context: CanvasRenderingContext2D, r: number): void {
    context.setLineDash([]);
    context.beginPath();
    context.arc(r * 0.85, -r * 0.85, Math.max(2.5, r * 0.36), 0, 2 * Math.PI);
    context.fillStyle = this.palette.warn;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = this.palette.canvas;
    context.stroke();
  }
}
