import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll } from 'vitest';

/** What millions of inputs may leave behind after a collection: a leak of 4 bytes an input is more. */
const MAX_GROWTH = 32 << 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Memory {
  /** What is alive: heap, and buffers outside it. */
  readonly alive: number;
  readonly rss: number;
}

function memory(): Memory {
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { alive: heapUsed + external, rss };
}

const megabytes = (bytes: number): string => `${Math.round(bytes / (1 << 20))} MB`;

// Loaded by vitest.config.ts in soaks: each test file has a process of its own.
let before: Memory;
beforeAll(() => {
  before = memory();
});
afterAll(() => {
  const after = memory();
  const shown = (['alive', 'rss'] as const).map((of) => `${of} ${megabytes(before[of])} to ${megabytes(after[of])}`);
  console.log(`memory: ${shown.join(', ')}`);
  if (after.alive - before.alive > MAX_GROWTH) throw new Error(`memory grew: ${shown.join(', ')}`);
});
