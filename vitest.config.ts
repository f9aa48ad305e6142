import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TestOrder } from './scripts/test-order.js';

// Groups of docs/TESTING.md. On a small machine one process for unit tests would leave a processor idle whenever a test
// waits; lab, interop and browser tests wait for most of their time, each file in namespaces of its own.
const UNIT_WORKERS = Math.max(2, availableParallelism() - 1);
const LAB_WORKERS = 3;

export default defineConfig({
  test: {
    sequence: { sequencer: TestOrder },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.{ts,tsx}',
            'scripts/**/*.test.ts',
            'tests/sim/**/*.test.ts',
            'bench/src/**/*.test.ts',
          ],
          // In soaks, RSS of each file is printed and bounded.
          setupFiles: process.env.WARREN_SOAK ? ['scripts/soak-memory.ts'] : [],
          testTimeout: 90_000,
          hookTimeout: 120_000,
          maxWorkers: UNIT_WORKERS,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['tests/lab/**/*.test.ts'],
          maxWorkers: LAB_WORKERS,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'soak',
          // For `npm run soak` only: hours, not minutes.
          include: process.env.WARREN_SOAK ? ['tests/soak/**/*.test.ts'] : [],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['tests/interop/**/*.test.ts'],
          // WireGuard's own script is not ours to ship: run where the environment names it.
          exclude: process.env.WIREGUARD_NETNS_SH ? [] : ['tests/interop/netns-sh.test.ts'],
          maxWorkers: LAB_WORKERS,
          sequence: { groupOrder: 1 },
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          // For `npm run screenshots` only: they are pictures, not tests.
          exclude: process.env.WARREN_SCREENSHOTS ? [] : ['tests/browser/screenshots.test.ts'],
          maxWorkers: LAB_WORKERS,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
