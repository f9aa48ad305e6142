import { afterAll, beforeAll } from 'vitest';

/** What ten million inputs may cost in memory: a leak of 20 bytes an input is more. */
const MAX_GROWTH = 200 << 20;

const megabytes = (bytes: number): string => `${Math.round(bytes / (1 << 20))} MB`;

// Loaded by vitest.config.ts in soaks: each test file has a process of its own.
let before = 0;
beforeAll(() => {
  before = process.memoryUsage.rss();
});
afterAll(({ name }) => {
  const after = process.memoryUsage.rss();
  console.log(`${name}: RSS ${megabytes(before)} at the start, ${megabytes(after)} at the end`);
  if (after - before > MAX_GROWTH) throw new Error(`memory grew by ${megabytes(after - before)}`);
});
