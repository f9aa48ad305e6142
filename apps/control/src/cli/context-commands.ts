import { readFile } from 'node:fs/promises';
import { WarrenError } from '@warren/base';
import { take } from '@warren/client';
import { type Command, Option } from 'commander';
import { type ClientConfig, type Environment, readClientConfig } from '../config.js';
import type { CommandContext, Options } from './command.js';
import {
  type Context,
  type Contexts,
  changeContexts,
  checkAuthorities,
  checkToken,
  checkUrl,
  readContexts,
} from './contexts.js';
import { createRestClient, describeFailure } from './rest-client.js';
import { findTarget, isRunning, type Target, unknownContext } from './target.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Milliseconds to look whether a new context leads anywhere. */
const TRIAL = 4_000;

export interface ContextCommandOptions {
  readonly environment: Environment;
  /** Everything that comes on stdin. */
  readonly readInput: () => Promise<string>;
}

/** `warren context`: several control planes, each by a name. */
export function contextCommands(program: Command, context: CommandContext, options: ContextCommandOptions): void {
  const group = program.command('context').description('several control planes, each by a name');
  const file = (): string => readClientConfig({}, withoutUrl(options.environment)).contextsFile;
  const print = ({ json }: Options, answer: unknown, text: string): void =>
    context.output.out(json ? `${JSON.stringify(answer, null, 2)}\n` : `${text}\n`);

  addCommand(group, context, options, file);
  withJson(group.command('use').argument('<context>'))
    .description('make it the one that commands speak to')
    .action(async (name: string, given: Options) => {
      await changeContexts(file(), (contexts) => ({ ...known(contexts, name), current: name }));
      print(given, { current: name }, `commands speak to ${name}`);
      await warnOfLocal(context, name, options.environment);
    });
  withJson(group.command('list').alias('ls'))
    .description('all contexts; * marks the current one')
    .action(async (given: Options) => {
      const contexts = await readContexts(file());
      const items = Object.entries(contexts.contexts).map(([name, each]) => view(contexts, name, each));
      if (!given.json && items.length === 0) {
        context.output.err('no contexts yet: see `warren context add --help`\n');
        return;
      }
      const table = context.screen.table(
        [
          { title: '', cell: ({ current }) => (current ? '*' : '') },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'URL', cell: ({ url }) => url, fit: 'cut' },
          { title: 'API KEY', cell: ({ token }) => (token ? 'kept' : 'WARREN_TOKEN') },
          { title: 'AUTHORITY', cell: ({ ca }) => (ca ? 'its own' : "the system's"), fit: 'drop' },
        ],
        items,
      );
      print(given, { items, nextCursor: null }, table);
    });
  withJson(group.command('remove').alias('rm').argument('<context>'))
    .description('forget it, and its API key')
    .action(async (name: string, given: Options) => {
      await changeContexts(file(), (contexts) => {
        const { [name]: _, ...others } = known(contexts, name).contexts;
        return { ...(contexts.current !== name && { current: contexts.current }), contexts: others };
      });
      print(given, { removed: name }, `removed ${name}`);
    });
  withJson(group.command('show').argument('[context]'))
    .description('one context; without a name, what commands speak to and why')
    .action(async (name: string | undefined, given: Options) => {
      if (name === undefined) {
        const config = readClientConfig(program.opts(), options.environment);
        const target = targetView(await findTarget(config));
        return print(given, target, context.screen.record(shown(target)));
      }
      const contexts = await readContexts(file());
      const one = view(contexts, name, known(contexts, name).contexts[name]!);
      print(given, one, context.screen.record(shown(one)));
    });
}

function addCommand(
  group: Command,
  { output }: CommandContext,
  { readInput }: ContextCommandOptions,
  file: () => string,
): void {
  withJson(group.command('add').argument('<name>', 'how you call it, such as prod'))
    .description('remember a control plane; the first one becomes the current one')
    .requiredOption('--url <url>', 'such as https://warren.example.org')
    .option('--token-file <file>', 'holds an API key (`warren apikey create`); without one WARREN_TOKEN is asked')
    .addOption(new Option('--token-stdin', 'read the API key from stdin').conflicts('tokenFile'))
    .option('--ca <file>', 'certificates in PEM that its certificate leads to, if not to one of the system')
    .option('--replace', 'also if there is one of this name')
    .action(async (name: string, given: Options) => {
      if (!NAME.test(name)) {
        throw new WarrenError('usage', 'a context is named with letters, digits and inner . _ -, at most 63');
      }
      const added = await newContext(given, readInput);
      const contexts = await changeContexts(file(), (before) => {
        if (Object.hasOwn(before.contexts, name) && !given.replace)
          throw new WarrenError('name-taken', `there is a context ${name} already: give --replace, or another name`);
        return { current: before.current ?? name, contexts: { ...before.contexts, [name]: added } };
      });
      const answer = view(contexts, name, added);
      const next =
        contexts.current === name ? 'commands speak to it' : `\`warren context use ${name}\` makes it current`;
      output.out(given.json ? `${JSON.stringify(answer, null, 2)}\n` : `added ${name}; ${next}\n`);
      for (const warning of await warnings(name, added)) output.err(`warren: ${warning}\n`);
    });
}

async function newContext(given: Options, readInput: () => Promise<string>): Promise<Context> {
  const url = checkUrl(String(given.url));
  const token = given.tokenStdin
    ? checkToken(await readInput(), 'stdin')
    : given.tokenFile === undefined
      ? undefined
      : checkToken(await readGiven('--token-file', given.tokenFile), '--token-file');
  if (given.ca !== undefined && !url.startsWith('https:')) throw new WarrenError('usage', '--ca is for https:// URLs');
  const ca = given.ca === undefined ? undefined : checkAuthorities(await readGiven('--ca', given.ca), '--ca');
  return { url, ...(token === undefined ? {} : { token }), ...(ca === undefined ? {} : { ca }) };
}

async function readGiven(option: string, path: unknown): Promise<string> {
  try {
    return await readFile(String(path), 'utf8');
  } catch (error) {
    throw new WarrenError('usage', `${option}: ${(error as Error).message}`, { cause: error });
  }
}

/** What a new context will run into; it is kept all the same, because its control plane may just be down. */
async function warnings(name: string, { url, token, ca }: Context): Promise<string[]> {
  const found: string[] = [];
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(hostname))
    found.push(`${url} is not encrypted: whoever listens on the way reads the API key`);
  if (token === undefined) return found;
  const target: Target = {
    kind: 'remote',
    url,
    token,
    ...(ca === undefined ? {} : { ca }),
    context: name,
    because: 'new',
  };
  try {
    await take(createRestClient(target, { timeout: TRIAL }).GET('/api/v1/status'));
  } catch (error) {
    const failure = describeFailure(error, target) as WarrenError;
    // A key that may not read the status is a right one.
    if (failure.code !== 'scope-missing') found.push(`it is kept, but does not work now: ${failure.message}`);
  }
  return found;
}

async function warnOfLocal({ output }: CommandContext, name: string, environment: Environment): Promise<void> {
  const config: ClientConfig = readClientConfig({}, withoutUrl(environment));
  if (environment.WARREN_URL) output.err(`warren: WARREN_URL goes before it: unset it, or give --context ${name}\n`);
  else if (environment.WARREN_CONTEXT)
    output.err(`warren: WARREN_CONTEXT goes before it: unset it, or give --context ${name}\n`);
  else if (config.dataDirFrom !== 'default' || (await isRunning(config.dataDir)))
    output.err(`warren: the control plane in ${config.dataDir} goes before it: give --context ${name}\n`);
}

const withJson = (command: Command): Command => command.option('--json', 'print JSON');
/** What the contexts' file is called does not depend on it, and a wrong one is not this command's business. */
const withoutUrl = (environment: Environment): Environment => ({ ...environment, WARREN_URL: undefined });

/** The contexts, with one of that name. @throws WarrenError `no-context` */
function known(contexts: Contexts, name: string): Contexts {
  if (Object.hasOwn(contexts.contexts, name)) return contexts;
  throw unknownContext(name, Object.keys(contexts.contexts));
}

/** Without the API key, which is shown nowhere. */
const view = ({ current }: Contexts, name: string, { url, token, ca }: Context) => ({
  name,
  url,
  current: current === name,
  token: token !== undefined,
  ca: ca !== undefined,
});

const targetView = (target: Target) =>
  target.kind === 'remote'
    ? { context: target.context ?? null, url: target.url, dataDir: null, because: target.because }
    : { context: null, url: null, dataDir: target.dataDir, because: target.because };

const shown = (values: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key === 'dataDir' ? 'data dir' : key === 'token' ? 'api key' : key,
      value === null ? '-' : value === true ? 'yes' : value === false ? 'no' : String(value),
    ]),
  );
