/** A figure of one run, by the name of its column. */
export type Run = Readonly<Record<string, number>>;

export interface Benchmark {
  readonly name: string;
  /** What is measured, from what to what. */
  readonly title: string;
  /** The column that counts, and what its median should stay under. */
  readonly goal: { readonly column: string; readonly below: number; readonly unit: string };
  /** The program that the figure is compared with, or why there is none. */
  readonly peer: string;
  readonly defaultRuns: number;
  /** Measures `runs` times; `onRun` is told of each run as it ends. */
  measure(runs: number, onRun: (run: Run) => void): Promise<readonly Run[]>;
}
