import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force';
import type { LayoutGraph } from '../model/layout-graph.js';

/** Asked for by the page. */
export interface LayoutRequest {
  readonly run: number;
  readonly graph: LayoutGraph;
}
/** Told while it goes on, and at its end. */
export interface LayoutProgress {
  readonly run: number;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly done: boolean;
}

const ROOM = 24;
const TOLD_EVERY = 120;
/** Of simulation in one go; messages come in between. Milliseconds. */
const SLICE = 40;

let current = 0;

self.onmessage = ({ data }: MessageEvent<LayoutRequest>) => {
  current = data.run;
  run(data);
};

/** Always the same for the same graph: d3-force draws its random numbers from a fixed seed. */
function run({ run: id, graph }: LayoutRequest): void {
  const { xs, ys, fixed, links, lengths } = graph;
  const nodes = Array.from(xs, (x, i) => ({ x, y: ys[i]!, ...(fixed[i] && { fx: x, fy: ys[i]! }) }));
  const pairs = Array.from(lengths, (length, i) => ({ source: links[2 * i]!, target: links[2 * i + 1]!, length }));
  const settled = nodes.length === 0 ? 0 : fixed.reduce((sum, one) => sum + one, 0) / nodes.length;
  const simulation = forceSimulation(nodes)
    .force('charge', forceManyBody().strength(-190).distanceMax(700).theta(1))
    .force(
      'link',
      forceLink(pairs)
        .distance(({ length }) => length)
        .strength(0.22),
    )
    .force('room', forceCollide(ROOM).strength(0.7))
    .force('x', forceX(0).strength(0.045))
    .force('y', forceY(0).strength(0.06))
    .alpha(settled > 0.5 ? 0.4 : 1)
    .alphaDecay(nodes.length > 600 ? 0.035 : 0.0228)
    .stop();
  let told = performance.now();
  const tell = (done: boolean): void => {
    const progress = {
      run: id,
      xs: Float32Array.from(nodes, ({ x }) => x),
      ys: Float32Array.from(nodes, ({ y }) => y),
      done,
    };
    self.postMessage(progress, { transfer: [progress.xs.buffer, progress.ys.buffer] });
    told = performance.now();
  };
  const slice = (): void => {
    if (id !== current) return;
    const until = performance.now() + SLICE;
    while (simulation.alpha() > simulation.alphaMin() && performance.now() < until) simulation.tick();
    const done = simulation.alpha() <= simulation.alphaMin();
    if (done || performance.now() - told > TOLD_EVERY) tell(done);
    if (!done) setTimeout(slice);
  };
  slice();
}
