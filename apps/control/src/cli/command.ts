import { WarrenError } from '@warren/base';
import { type Command, Option } from 'commander';
import type { Output } from './output.js';
import { describeFailure, everyPage, type RestClient } from './rest-client.js';
import type { Screen } from './screen.js';
import { hint } from './suggestion.js';

/** What every command that speaks to a running control plane needs. */
export interface CommandContext {
  readonly output: Output;
  readonly screen: Screen;
  /** Ends what would go on for ever. */
  readonly stop?: AbortSignal;
  /** Opened when a command runs, because its options say where to. */
  client(command: Command): Promise<RestClient>;
}

/** Options as commander gives them; each command says which it declares. */
export type Options = Readonly<Record<string, unknown>>;
export const ROLES = ['client', 'direct', 'bounce'] as const;
export type Role = (typeof ROLES)[number];

/** What a command has to say: `answer` with `--json`, else `text` of it. */
export interface Result {
  /** As REST gives it, also fields that this version does not know. */
  readonly answer: unknown;
  readonly text: (screen: Screen) => string;
  /** Said on stderr instead of an empty table. */
  readonly none?: string;
  /** Said on stderr after the text: what to do next, which no script wants. */
  readonly note?: string;
}

/** Options that every command has which asks a control plane. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'print JSON, as REST gives it')
    .option('--context <context>', 'which control plane, see `warren context` (WARREN_CONTEXT)')
    .option('--data-dir <directory>', 'of a control plane on this machine (WARREN_DATA_DIR)');

/** The options of a list. */
export const listing = (command: Command): Command =>
  common(command).addOption(new Option('-q, --quiet', 'print ids only').conflicts('json'));

/** The options of what cannot be undone. */
export const destructive = (command: Command): Command =>
  command.option('--yes', 'do not ask, also where somebody could answer');

/**
 * An action: asks the control plane, then prints the answer as JSON or as text. commander has checked how many arguments
 * there are, so those that a command declares are there.
 */
export function run<Given extends object = Options>(
  context: CommandContext,
  perform: (rest: RestClient, args: readonly [string, string], options: Given, output: Output) => Promise<Result>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const args = given.slice(0, -2) as unknown as readonly [string, string];
    const options: Options = command.opts();
    const rest = await context.client(command);
    try {
      print(context, options, await perform(rest, args, options as Given, context.output));
    } catch (error) {
      const failure = describeFailure(error, rest.target);
      throw await withSuggestion(failure, rest, networksNamed(command, args, options));
    }
  };
}

function print({ output, screen }: CommandContext, options: Options, result: Result): void {
  const { answer, text: render, none, note } = result;
  const { items } = (answer ?? {}) as { items?: readonly { id: unknown }[] };
  if (options.json) output.out(`${JSON.stringify(answer, null, 2)}\n`);
  else if (options.quiet && items) output.out(items.map(({ id }) => `${id}\n`).join(''));
  else if (items?.length === 0 && none !== undefined) output.err(`${none}\n`);
  else {
    output.out(`${render(screen)}\n`);
    if (note !== undefined) output.err(`${note}\n`);
  }
}

/** What was given where a network was wanted. */
function networksNamed(command: Command, args: readonly string[], { network }: Options): string[] {
  const given = command.registeredArguments.map((argument, i) => (argument.name() === 'network' ? args[i] : undefined));
  return [...given, network].filter((name) => typeof name === 'string');
}

/** The same error; if a network is not there, with the one that was probably meant. */
async function withSuggestion(error: unknown, rest: RestClient, named: readonly string[]): Promise<unknown> {
  if (!(error instanceof WarrenError) || error.code !== 'not-found' || named.length === 0) return error;
  let known: readonly { id: string; name: string }[];
  try {
    known = (await everyPage((query) => rest.GET('/api/v1/networks', { params: { query } }))).items;
  } catch {
    return error; // The first error is the one to hear of.
  }
  const missing = named.find((name) => !known.some((network) => network.id === name || network.name === name));
  if (missing === undefined) return error;
  const names = known.map(({ name }) => name);
  const few = names.length > 0 && names.length <= 8;
  const otherwise = few ? `there are ${names.join(', ')}` : 'see `warren network list`';
  return new WarrenError(
    'not-found',
    `there is no network ${JSON.stringify(missing)}${hint(missing, names, otherwise)}`,
  );
}

/**
 * Where somebody sits at the terminal, the name has to be typed before something is lost for good; scripts are not asked.
 *
 * @throws WarrenError `not-confirmed`
 */
export async function confirm(
  { terminal }: Output,
  { yes, json }: { readonly yes?: boolean; readonly json?: boolean },
  verb: string,
  name: string,
): Promise<void> {
  if (yes || json || !terminal?.ask) return;
  const typed = await terminal.ask(`Type ${name} to ${verb} it: `);
  if (typed.trim() !== name) throw new WarrenError('not-confirmed', `nothing was done: ${name} was not typed`);
}

/** What was given of it: absent instead of undefined. */
export const given = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** For commands that make something: its name as an argument or by `--name`, which scripts find clearer. */
export const nameable = (command: Command): Command => command.argument('[name]').option('--name <name>', 'the same');

/** @throws WarrenError `usage` unless the name was given, once. */
export function nameOf(argument: string | undefined, { name }: { readonly name?: string }): string {
  if ((argument === undefined) === (name === undefined))
    throw new WarrenError('usage', 'give the name, once (see --help)');
  return argument ?? String(name);
}

/** `id` of a path. */
export const byId = (id: string): { params: { path: { id: string } } } => ({ params: { path: { id } } });
/** A duration as REST takes it: commander takes a null from a parser for a missing value, so the word comes as it is. */
export const orNull = (duration: string): string | null => (duration === 'never' ? null : duration);
