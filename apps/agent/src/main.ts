import { readConfig } from './config.js';
import { thisHost } from './host/requirements.js';

// Composition root. A reader that goes away (`agent peers | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const args = process.argv.slice(2);
const options = {
  config: readConfig(process.env),
  host: thisHost(),
  streams: {
    out: (text: string) => void process.stdout.write(text),
    err: (text: string) => void process.stderr.write(text),
  },
};
// The daemon of `agent wg` does without the parser of command lines, which costs 6 MiB.
const { WG_DAEMON, runWgDaemon } = await import('./wg/daemon.js');
const code =
  args[0] === WG_DAEMON
    ? await runWgDaemon(args.slice(1), options)
    : await (await import('./cli.js')).runCli(args, options);
process.exit(code);
