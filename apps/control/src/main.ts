import { runProgram } from './cli/program.js';

// The composition root: what a command needs of the process is handed in here and nowhere else.
const exitCode = await runProgram(process.argv.slice(2), {
  environment: process.env,
  output: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  },
  // Loaded when needed: the server's libraries would make every other command half a second slower.
  serve: async (config) => {
    const [{ createLog }, { serve }] = await Promise.all([import('./log.js'), import('./serve.js')]);
    return serve(config, createLog(config.logLevel), (text) => process.stdout.write(text));
  },
  signal: async (config) => {
    const [{ createLog }, { serveSignal }] = await Promise.all([
      import('./log.js'),
      import('./signal/serve-signal.js'),
    ]);
    return serveSignal(config, createLog(config.logLevel), (text) => process.stdout.write(text));
  },
});
process.exitCode = exitCode;
