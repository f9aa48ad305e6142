import { runProgram } from './cli/program.js';
import { createLog } from './log.js';
import { serve } from './serve.js';

// The composition root: what a command needs of the process is handed in here and nowhere else.
const exitCode = await runProgram(process.argv.slice(2), {
  environment: process.env,
  output: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  },
  serve: (config) => serve(config, createLog(config.logLevel), (text) => process.stdout.write(text)),
});
process.exitCode = exitCode;
