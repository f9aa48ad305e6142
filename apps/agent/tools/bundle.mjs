// Bundles the compiled agent into few files: loading three hundred modules one by one takes longer than everything
// else between `agent join` and the first packet.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const agent = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(agent, 'dist/bundle');
const folderOf = (name) => dirname(createRequire(import.meta.url).resolve(name));
const [dataplane, signal] = ['@warren/dataplane', '@warren/signal'].map(folderOf);

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    main: join(agent, 'dist/main.js'),
    // Beside the chunks, where `new URL('./worker.js', import.meta.url)` of the data plane finds it.
    worker: join(dataplane, 'worker.js'),
    // Named by src/daemon/served-signal-server.ts.
    'signal-worker': join(signal, 'worker.js'),
  },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: '[name]-[hash]',
  external: ['koffi'], // native
  // What CommonJS dependencies expect inside an ES module.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  sourcemap: true,
  logLevel: 'warning',
});

// A data plane that finds its worker in another way must fail here, not on a host.
const texts = readdirSync(outdir).map((name) => readFileSync(join(outdir, name), 'utf8'));
if (!texts.some((text) => /new URL\(["']\.\/worker\.js["'], import\.meta\.url\)/.test(text))) {
  throw new Error('the data plane no longer finds its worker as ./worker.js: adapt tools/bundle.mjs');
}
