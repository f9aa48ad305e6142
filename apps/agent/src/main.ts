import { runCli } from './cli.js';
import { readConfig } from './config.js';
import { thisHost } from './host/requirements.js';

// Composition root. A reader that goes away (`agent peers | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const code = await runCli(process.argv.slice(2), {
  config: readConfig(process.env),
  host: thisHost(),
  streams: {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  },
});
process.exit(code);
