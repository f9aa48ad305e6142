import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Compressed once, when built: the control plane then spends nothing on it. */
function precompress(): Plugin {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  return {
    name: 'precompress',
    apply: 'build',
    generateBundle: {
      // Last: Vite puts the names of preloaded files into the code at this very step.
      order: 'post',
      handler(_options, bundle) {
        for (const [fileName, part] of Object.entries(bundle)) {
          if (!/\.(js|css|svg|wasm)$/.test(fileName)) continue;
          const source = Buffer.from(part.type === 'chunk' ? part.code : part.source);
          this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotliCompressSync(source, quality) });
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwind(), precompress()],
  // `vite dev` beside a control plane that runs.
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Images inline would need `data:` for more than the icon.
    assetsInlineLimit: 0,
  },
});
