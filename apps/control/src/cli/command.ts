import { WarrenError } from '@warren/base';
import type { Command } from 'commander';
import type { Output } from './output.js';
import { record } from './output.js';
import type { RestClient } from './rest-client.js';

/** What every command that speaks to a running control plane needs. */
export interface CommandContext {
  readonly output: Output;
  /** Opened when a command runs, because its options say where to. */
  client(command: Command): RestClient;
}

/** A JSON object of an answer. */
export type Item = Readonly<Record<string, unknown>>;
export type Options = Readonly<Record<string, unknown>>;
export const ROLES = ['client', 'direct', 'bounce'];

/** Options that every command has. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'print JSON')
    .option('--data-dir <path>', 'of the control plane on this machine (WARREN_DATA_DIR)');

/**
 * An action: asks the control plane, then prints the answer as JSON or as text. commander has checked how many arguments
 * there are, so those that a command declares are there.
 */
export function run<Answer>(
  context: CommandContext,
  perform: (
    rest: RestClient,
    args: readonly [string, string],
    options: Options,
  ) => Promise<{ answer: unknown; text: (answer: Answer) => string }>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const args = given.slice(0, -2) as unknown as readonly [string, string];
    const options: Options = command.opts();
    const { answer, text: render } = await perform(context.client(command), args, options);
    context.output.out(`${options.json ? JSON.stringify(answer, null, 2) : render(answer as Answer)}\n`);
  };
}

/** Every page of a list. `path` has a query already. */
export async function all(rest: RestClient, path: string): Promise<{ items: Item[]; nextCursor: null }> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = (await rest.call('GET', path + (cursor ? `&cursor=${part(cursor)}` : ''))) as {
      items: Item[];
      nextCursor: string | null;
    };
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return { items, nextCursor: null };
}

/** A query string of what was given. */
export function query(values: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) search.set(key, String(value));
  return search.toString();
}

/** For commands that make something: its name as an argument or by `--name`, which scripts find clearer. */
export const nameable = (command: Command): Command => command.argument('[name]').option('--name <name>', 'the same');

/** @throws WarrenError `usage` unless the name was given, once. */
export function nameOf(argument: string | undefined, { name }: Options): string {
  if ((argument === undefined) === (name === undefined))
    throw new WarrenError('usage', 'give the name, once (see --help)');
  return argument ?? String(name);
}

export const part = (value: unknown): string => encodeURIComponent(String(value));
export const text = (value: unknown): string => String(value);
export const list = (value: unknown): string => (value as readonly unknown[]).join(', ');
export const fields = (item: Item): string =>
  record(
    Object.fromEntries(
      Object.entries(item).map(([key, value]) => [key, Array.isArray(value) ? list(value) : text(value ?? '-')]),
    ),
  );
