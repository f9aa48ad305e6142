import { WarrenError } from '@warren/base';
import { Command, CommanderError } from 'commander';
import {
  type Environment,
  readClientConfig,
  readServeConfig,
  SERVE_SETTINGS,
  type ServeConfig,
  type SignalConfig,
} from '../config.js';
import { VERSION } from '../version.js';
import { adminCommands } from './admin-commands.js';
import { networkCommands } from './network-commands.js';
import { nodeCommands } from './node-commands.js';
import { type Output, reportError } from './output.js';
import { createRestClient } from './rest-client.js';
import { signalCommands } from './signal-commands.js';
import { tokenCommands } from './token-commands.js';

export interface ProgramOptions {
  readonly environment: Environment;
  readonly output: Output;
  /** Runs until stopped; gives the exit code. */
  serve(config: ServeConfig): Promise<number>;
  /** The same for the signalling service alone. */
  signal(config: SignalConfig): Promise<number>;
}

/** Runs one `warren` command line (without program names). @returns the exit code. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number> {
  const { output } = options;
  let exitCode = 0;
  const program = new Command('warren')
    .description('The control plane of a WireGuard mesh.')
    .version(VERSION, '-V, --version')
    // Else the options behind `signal list` would be taken for those of `signal`.
    .enablePositionalOptions()
    .showHelpAfterError(false);
  serveCommand(program, options, (code) => (exitCode = code));
  const context = {
    output,
    client: (command: Command) => createRestClient(readClientConfig(command.opts(), options.environment)),
  };
  networkCommands(program, context);
  tokenCommands(program, context);
  nodeCommands(program, context);
  signalCommands(program, context, options, (code) => (exitCode = code));
  adminCommands(program, context);
  program
    .command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .action((given: { json?: boolean }) => {
      output.out(given.json ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    });
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: (text) => output.out(text), writeErr: () => {} });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportError(usageError(error, program, argv), argv.includes('--json'), output);
  }
}

function serveCommand(program: Command, options: ProgramOptions, done: (code: number) => void): void {
  const command = program.command('serve').description('run the control plane in the foreground');
  for (const [flag, variable, fallback, meaning] of SERVE_SETTINGS) {
    command.option(
      `--${flag} <value>`,
      `${meaning} (${variable}${fallback === undefined ? '' : `, default ${fallback}`})`,
    );
  }
  command.action(async (flags: Record<string, string>) => {
    done(await options.serve(readServeConfig(flags, options.environment)));
  });
}

/** commander's own refusals, in one line of ours. */
function usageError(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  const group = program.commands.find((command) => command.name() === argv[0]) ?? program;
  const names = group.commands.map((command) => command.name()).join(', ');
  // A group without a command shows its help as an error, and says nothing of what was wrong.
  if (error.code === 'commander.help') {
    return new WarrenError('usage', `say which command: ${names}; add --help for more`);
  }
  // `signal` is a command itself, which a word that is none of those beneath it would be an argument of.
  const word = argv[1] ?? '';
  const isNone = !word.startsWith('-') && !group.commands.some((command) => command.name() === word);
  if (error.code === 'commander.excessArguments' && group.commands.length > 0 && group !== program && isNone) {
    return new WarrenError('usage', `${group.name()} has no command ${word}: ${names}; add --help for more`);
  }
  return new WarrenError('usage', `${error.message.replace(/^error: /, '')} (see --help)`);
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
