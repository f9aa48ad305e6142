// Everything starts here: `npm start`, `npm test` and the others need only Node and npm.
import { join } from 'node:path';
import { build, checkNode, debianPackages, env, install, root, run } from './bootstrap.mjs';

const [task, ...args] = process.argv.slice(2);
const node = (script, ...rest) => run(process.execPath, [join(root, script), ...rest]);

const TASKS = {
  /** The control plane in the foreground. */
  start: async () => {
    await build('--filter=@warren/control...', '--filter=@warren/agent...');
    return node('apps/control/bin/warren.mjs', 'serve', ...args);
  },
  test: async () => {
    await debianPackages();
    await build();
    return node('scripts/test.mjs', ...args);
  },
  demo: async () => {
    await debianPackages();
    await build();
    return node('apps/demo/dist/main.js', ...args);
  },
  bench: async () => {
    await debianPackages();
    await build();
    return node('bench/dist/main.js', ...args);
  },
  soak: async () => {
    await debianPackages();
    await build();
    return node('scripts/soak.mjs', ...args);
  },
  /** Pictures of every view into docs/screenshots; names of views take some of them. */
  screenshots: async () => {
    await debianPackages();
    await build();
    const vitest = join(root, 'node_modules/.bin/vitest');
    return run(vitest, ['run', '--project', 'browser', 'tests/browser/screenshots'], {
      env: { ...env, WARREN_SCREENSHOTS: args.join(' ') || 'all' },
    });
  },
  build: async () => {
    await build();
    return 0;
  },
  /** Lint, types, import direction, purity, generated code: what `npm test` begins with. */
  check: async () => {
    await build();
    return node('scripts/test.mjs', 'checks');
  },
  generate: () => run(join(root, 'node_modules/.bin/turbo'), ['run', 'generate', '--force']),
  format: () => run(join(root, 'node_modules/.bin/biome'), ['check', '--write', '.']),
};

if (!(task in TASKS)) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(TASKS).join('|')} [arguments]`);
  process.exit(2);
}
checkNode();
await install();
process.exit(await TASKS[task]());
