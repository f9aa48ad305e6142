import { defineConfig } from 'vitest/config';

// Three tiers (docs/TESTING.md). Unit tests run side by side; lab and interop tests share the machine's
// namespaces and run one file after the other.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'tests/sim/**/*.test.ts',
            'bench/src/**/*.test.ts',
          ],
          // In soaks, RSS of each file is printed and bounded.
          setupFiles: process.env.WARREN_SOAK ? ['scripts/soak-memory.ts'] : [],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['tests/lab/**/*.test.ts'],
          fileParallelism: false,
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
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['tests/interop/**/*.test.ts'],
          // WireGuard's own script is not ours to ship: run where the environment names it.
          exclude: process.env.WIREGUARD_NETNS_SH ? [] : ['tests/interop/netns-sh.test.ts'],
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
