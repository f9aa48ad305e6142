import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Run } from './benchmark.js';
import { summarize } from './statistics.js';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

/** The table that is printed: one line a run, then medians, and the goal. */
export function renderTable(benchmark: Benchmark, runs: readonly Run[]): string {
  const columns = Object.keys(runs[0] ?? {});
  const line = (first: string, cells: readonly string[]): string =>
    first.padEnd(8) + cells.map((cell) => cell.padStart(14)).join('');
  const { column, below, unit } = benchmark.goal;
  const pick = (figure: 'median' | 'min' | 'max'): string[] =>
    columns.map((name) => String(summarize(runs.map((run) => run[name]!))[figure]));
  const middle = summarize(runs.map((run) => run[column]!)).median;
  return [
    line(
      'run',
      columns.map((name) => `${name} ${unit}`),
    ),
    ...runs.map((run, index) =>
      line(
        String(index + 1),
        columns.map((name) => String(run[name])),
      ),
    ),
    line('median', pick('median')),
    line('min', pick('min')),
    line('max', pick('max')),
    `goal: median of ${column} below ${below} ${unit}: ${middle < below ? 'met' : 'missed'} (${middle} ${unit})`,
    `peer: ${benchmark.peer}`,
  ].join('\n');
}

/** Writes the figures and where they come from. @returns the file's path. */
export function writeResult(benchmark: Benchmark, runs: readonly Run[], at: Date): string {
  const columns = Object.keys(runs[0] ?? {});
  const summary = Object.fromEntries(columns.map((name) => [name, summarize(runs.map((run) => run[name]!))]));
  const { name, title, goal, peer } = benchmark;
  return writeFigures(name, at, { title, goal, peer, summary, runs });
}

/** Writes any benchmark's figures with time and machine. @returns the file's path. */
export function writeFigures(name: string, at: Date, figures: object): string {
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    arch: arch(),
    kernel: release(),
    node: process.version,
  };
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${name}-${at.toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(path, `${JSON.stringify({ name, at: at.toISOString(), machine, ...figures }, undefined, 2)}\n`);
  return path;
}
