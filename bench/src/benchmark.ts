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

/** A benchmark of several programs side by side, which has a table of its own instead of one goal. */
export interface Comparison {
  readonly name: string;
  readonly title: string;
  readonly defaultRuns: number;
  /** Measures all of them in each of `rounds`, in turn; `onLine` is told what comes next. */
  compare(rounds: number, onLine: (line: string) => void): Promise<ComparisonResult>;
}

export interface ComparisonResult {
  /** For people: figures and ratios. */
  readonly table: string;
  /** For the file: every round of every program. */
  readonly figures: unknown;
}
