import { Argument, type Command } from 'commander';
import { type Environment, readClientConfig } from '../config.js';
import { completeNames } from './complete.js';
import { completionScript, completionTree, NAME_KINDS, type NameKind, SHELLS, type Shell } from './completion.js';
import type { Output } from './output.js';

/** `warren completion SHELL`, and the hidden `warren __complete` that its scripts ask for names. */
export function completionCommands(program: Command, output: Output, environment: Environment): void {
  program
    .command('completion')
    .description('a script that completes commands, options and names in your shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(warren completion bash)                                  # in ~/.bashrc
  source <(warren completion zsh)                                   # in ~/.zshrc, after compinit
  warren completion fish > ~/.config/fish/completions/warren.fish`,
    )
    .action((shell: Shell) => output.out(completionScript(shell, completionTree(program))));
  program
    .command('__complete', { hidden: true })
    .addArgument(new Argument('<kind>').choices(NAME_KINDS))
    .argument('[words...]', 'the command line so far')
    .allowUnknownOption()
    .action(async (kind: NameKind, words: string[]) => {
      try {
        const given = valuesOf(words);
        const lines = await completeNames(kind, readClientConfig(given, environment), given.network);
        output.out(lines.map((line) => `${line}\n`).join(''));
      } catch {
        // Whoever presses the tab key wants names or nothing: an error would end up in the middle of the line.
      }
    });
}

/** Of an unfinished command line, what says where to ask. */
function valuesOf(words: readonly string[]): { context?: string; dataDir?: string; network?: string } {
  const value = (flag: string): string | undefined => {
    const joined = words.findLast((word) => word.startsWith(`${flag}=`));
    const at = words.lastIndexOf(flag);
    return joined?.slice(flag.length + 1) ?? (at === -1 ? undefined : words[at + 1]);
  };
  const [context, dataDir, network] = [value('--context'), value('--data-dir'), value('--network')];
  return { ...(context && { context }), ...(dataDir && { dataDir }), ...(network && { network }) };
}
