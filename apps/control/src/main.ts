import { createInterface } from 'node:readline/promises';
import { text as readText } from 'node:stream/consumers';
import { runProgram } from './cli/program.js';

// The composition root: what a command needs of the process is handed in here and nowhere else.
const { stdin, stdout, stderr, env } = process;

// Whoever reads our lines may have enough of them: `warren node list | head -1`.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const ask = async (question: string): Promise<string> => {
  const lines = createInterface({ input: stdin, output: stderr });
  // The end of the input is an answer, too: an empty one.
  const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    const answer = await Promise.race([lines.question(question), ended]);
    if (answer === undefined) stderr.write('\n');
    return answer ?? '';
  } finally {
    lines.close();
  }
};
const terminal = {
  ...(stdout.isTTY ? { columns: stdout.columns, colour: !env.NO_COLOR && env.TERM !== 'dumb' } : {}),
  ...(stdin.isTTY && stderr.isTTY ? { ask } : {}),
};

process.exitCode = await runProgram(process.argv.slice(2), {
  environment: env,
  output: { out: (text) => stdout.write(text), err: (text) => stderr.write(text), terminal },
  readInput: () => readText(stdin),
  now: Date.now,
  // Loaded when needed: the server's libraries would make every other command half a second slower.
  serve: async (config) => {
    const [{ createLog }, { serve }] = await Promise.all([import('./log.js'), import('./serve.js')]);
    return serve(config, createLog(config.logLevel), (text) => stdout.write(text));
  },
  signal: async (config) => {
    const [{ createLog }, { serveSignal }] = await Promise.all([
      import('./log.js'),
      import('./signal/serve-signal.js'),
    ]);
    return serveSignal(config, createLog(config.logLevel), (text) => stdout.write(text));
  },
});
