import { WarrenError } from '@warren/base';
import { HELP, readConfig } from './config.js';
import { runDemo } from './demo.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());

try {
  const config = readConfig(process.argv.slice(2));
  if (config.help) console.log(HELP);
  else process.exitCode = await runDemo(config, stop.signal);
} catch (error) {
  if (!(error instanceof WarrenError)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
