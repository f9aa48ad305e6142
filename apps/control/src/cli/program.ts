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
import { apiKeyCommands } from './apikey-commands.js';
import { auditCommands } from './audit-commands.js';
import type { CommandContext } from './command.js';
import { completionCommands } from './completion-commands.js';
import { contextCommands } from './context-commands.js';
import { eventCommands } from './event-commands.js';
import { exportCommand } from './export-command.js';
import { EXAMPLES, GROUPS, OVERVIEW } from './help.js';
import { importCommand } from './import-command.js';
import { networkCommands } from './network-commands.js';
import { nodeCommands } from './node-commands.js';
import { type Output, reportError } from './output.js';
import { createRestClient } from './rest-client.js';
import { Screen } from './screen.js';
import { sessionCommands } from './session-commands.js';
import { signalCommands } from './signal-commands.js';
import { statusCommands } from './status-commands.js';
import { findTarget } from './target.js';
import { tokenCommands } from './token-commands.js';
import { topologyCommand } from './topology-commands.js';

export interface ProgramOptions {
  readonly environment: Environment;
  readonly output: Output;
  /** Everything that comes on stdin. */
  readInput(): Promise<string>;
  /** Unix milliseconds. */
  now(): number;
  /** Ends commands that follow something; absent: the process does. */
  readonly stop?: AbortSignal;
  /** Runs until stopped; gives the exit code. */
  serve(config: ServeConfig): Promise<number>;
  /** The same for the signalling service alone. */
  signal(config: SignalConfig): Promise<number>;
}

/** Runs one `warren` command line (without program names). @returns the exit code: 0 fine, 1 failed or refused, 2 wrong usage. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<number> {
  const { output } = options;
  const outcome = { code: 0 };
  const program = buildProgram(options, outcome);
  if (argv.length === 0) {
    output.out(program.helpInformation());
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportError(usageError(error, program, argv), argv.includes('--json'), output);
  }
}

/** The whole tree of commands. @param outcome is told the exit code of those that run until stopped */
export function buildProgram(options: ProgramOptions, outcome: { code: number }): Command {
  const { output, environment } = options;
  const done = (code: number): void => {
    outcome.code = code;
  };
  const program = new Command('warren')
    .description('The control plane of a WireGuard mesh.')
    .version(VERSION, '-V, --version')
    .option('--context <context>', 'which control plane, see `warren context` (WARREN_CONTEXT)')
    .option('--data-dir <directory>', 'of a control plane on this machine (WARREN_DATA_DIR)')
    // Else the options behind `signal list` would be taken for those of `signal`.
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .commandsGroup('Running it:')
    .helpOption('-h, --help', 'explain this command')
    .helpCommand('help [command]', 'explain a command');
  const context: CommandContext = {
    output,
    screen: new Screen(output.terminal ?? {}, options.now()),
    ...(options.stop ? { stop: options.stop } : {}),
    client: async (command) =>
      createRestClient(await findTarget(readClientConfig({ ...program.opts(), ...command.opts() }, environment))),
  };
  networkCommands(program, context);
  nodeCommands(program, context);
  importCommand(program, context);
  exportCommand(program, context);
  tokenCommands(program, context);
  apiKeyCommands(program, context);
  sessionCommands(program, context);
  signalCommands(program, context, options, done);
  statusCommands(program, context);
  topologyCommand(program, context);
  auditCommands(program, context);
  eventCommands(program, context);
  contextCommands(program, context, options);
  completionCommands(program, output, environment);
  serveCommand(program, options, done);
  versionCommand(program, output);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({ writeOut: (text) => output.out(text), writeErr: () => {} });
  }
  explain(program);
  return program;
}

/** Groups in the overview, and examples below each command's help. */
function explain(program: Command): void {
  // Else the group of the program's own `help` would be that of theirs.
  for (const command of program.commands) command.commandsGroup('Commands:');
  for (const [heading, names] of GROUPS)
    for (const command of program.commands) if (names.includes(command.name())) command.helpGroup(heading);
  program.addHelpText('after', OVERVIEW);
  for (const command of everyCommand(program)) {
    const examples = EXAMPLES[pathOf(command)];
    if (examples) command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
  }
}

/** `node show`; the program itself is empty. */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}`.trim() : '';

function serveCommand(program: Command, options: ProgramOptions, done: (code: number) => void): void {
  const command = program.command('serve').description('run the control plane in the foreground');
  for (const [flag, variable, fallback, meaning] of SERVE_SETTINGS) {
    const shown = fallback === undefined ? '' : `, default ${fallback}`;
    command.option(`--${flag} <${flag === 'data-dir' ? 'directory' : 'value'}>`, `${meaning} (${variable}${shown})`);
  }
  command.action(async (flags: Record<string, string>) => {
    done(await options.serve(readServeConfig({ ...program.opts(), ...flags }, options.environment)));
  });
}

function versionCommand(program: Command, output: Output): void {
  program
    .command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .action((given: { json?: boolean }) => {
      output.out(given.json ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    });
}

/** commander's own refusals, in one line of ours. */
function usageError(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  const command = commandOf(program, argv);
  const names = command.commands.map((each) => each.name()).join(', ');
  // A group without a command shows its help as an error, and says nothing of what was wrong.
  if (error.code === 'commander.help') {
    return new WarrenError('usage', `say which command: ${names}; add --help for more`);
  }
  // `signal` is a command itself, which a word that is none of those beneath it would be an argument of.
  const word = argv[1] ?? '';
  const isNone = !word.startsWith('-') && command.parent === program;
  if (error.code === 'commander.excessArguments' && command.commands.length > 0 && isNone) {
    return new WarrenError('usage', `${command.name()} has no command ${word}: ${names}; add --help for more`);
  }
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\s*\(Did you mean (?:one of )?(.*?)\??\)\s*$/s, ': did you mean $1?');
  return new WarrenError('usage', `${message.replace(/\.$/, '')} (see ${`warren ${pathOf(command)}`.trim()} --help)`);
}

/** The command that a command line leads to, as far as its words are known. */
function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next) command = next;
    else if (!word.startsWith('-') && command !== program) break;
  }
  return command;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
