import type { Comparison } from '../benchmark.js';
import { median } from '../statistics.js';
import { launchBrowser, measurePage, type PageFigures } from './page-run.js';
import { startStubServer } from './stub-server.js';
import { syntheticTopology } from './synthetic-topology.js';

interface Variant {
  readonly name: string;
  readonly nodes: number;
  readonly search: string;
}

const VARIANTS: readonly Variant[] = [
  { name: '1,000 nodes', nodes: 1_000, search: '' },
  { name: '10,000, in groups', nodes: 10_000, search: '' },
  { name: '10,000, one by one', nodes: 10_000, search: '?group=none' },
];
const COLUMNS = ['contentMs', 'graphMs', 'interactiveMs', 'panMedianMs', 'panP95Ms'] as const;
const MOST_SCRIPT_KIB = 250;
const INTERACTIVE_WITHIN_MS = 1_000;

interface Row {
  readonly variant: string;
  readonly rounds: (PageFigures & { readonly scriptKiB: number; readonly styleKiB: number })[];
}

/** The page on its first visit, in a browser without a GPU: what it loads, and how it moves. */
export const dashboard: Comparison = {
  name: 'dashboard',
  title:
    'the topology in Chromium without a GPU, 1280 × 800: first load, first paint of the graph, frames while it is panned',
  defaultRuns: 3,
  async compare(rounds, onLine) {
    const rows: readonly Row[] = VARIANTS.map(({ name }) => ({ variant: name, rounds: [] }));
    for (let round = 1; round <= rounds; round++) {
      for (const [index, variant] of VARIANTS.entries()) {
        const figures = await measure(variant);
        rows[index]!.rounds.push(figures);
        const { graphMs, panMedianMs } = figures;
        onLine(
          `round ${round} of ${rounds}: ${variant.name}: graph after ${graphMs.toFixed(0)} ms, ${panMedianMs.toFixed(1)} ms a frame`,
        );
      }
    }
    return { table: render(rows), figures: { rows } };
  },
};

async function measure({ nodes, search }: Variant): Promise<Row['rounds'][number]> {
  const server = await startStubServer(syntheticTopology(nodes));
  try {
    const browser = await launchBrowser();
    try {
      const figures = await measurePage(browser, `${server.url}/n/default/topology${search}`);
      const bytes = server.takeBytes();
      return { ...figures, scriptKiB: (bytes['.js'] ?? 0) / 1_024, styleKiB: (bytes['.css'] ?? 0) / 1_024 };
    } finally {
      await browser.close();
    }
  } finally {
    server.close();
  }
}

function render(rows: readonly Row[]): string {
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(20) + cells.map((cell) => cell.padStart(15)).join('');
  const middle = ({ rounds }: Row, column: keyof Row['rounds'][number]): number =>
    median(rounds.map((one) => one[column]));
  const first = rows[0]!;
  const script = middle(first, 'scriptKiB');
  const interactive = middle(first, 'interactiveMs');
  const met = (is: boolean): string => (is ? 'met' : 'missed');
  return [
    line('median', ['content ms', 'graph ms', 'interactive ms', 'pan ms', 'pan p95 ms']),
    ...rows.map((row) =>
      line(
        row.variant,
        COLUMNS.map((column) => middle(row, column).toFixed(column.startsWith('pan') ? 1 : 0)),
      ),
    ),
    `first load, gzip: ${script.toFixed(0)} KiB of JavaScript, ${middle(first, 'styleKiB').toFixed(0)} KiB of CSS`,
    `goal: below ${MOST_SCRIPT_KIB} KiB of JavaScript: ${met(script < MOST_SCRIPT_KIB)}`,
    `goal: interactive within ${INTERACTIVE_WITHIN_MS} ms with 1,000 nodes: ${met(interactive < INTERACTIVE_WITHIN_MS)} (${interactive.toFixed(0)} ms)`,
  ].join('\n');
}
