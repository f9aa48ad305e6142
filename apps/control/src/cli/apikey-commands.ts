import { type operations, type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { collect, duration } from './arguments.js';
import { byId, type CommandContext, common, given, listing, orNull, run } from './command.js';
import { shown } from './fields.js';
import { everyPage } from './rest-client.js';
import type { Cell, Column, Screen } from './screen.js';

type Body = operations['createApiKey']['requestBody']['content']['application/json'];
type Scope = NonNullable<Body['scopes']>[number];

/** `warren apikey`: keys for REST. */
export function apiKeyCommands(program: Command, context: CommandContext): void {
  const apikey = program.command('apikey').description('keys for REST');
  common(apikey.command('create').argument('[name]', 'what it is for', 'unnamed'))
    .description('make a key; prints it alone, once')
    .option('--scope <scope>', 'what it may do, such as nodes:read; may be repeated (default: everything)', collect)
    .option('--expires <duration>', 'such as 30d, or never', duration, 'never')
    .action(
      run(context, async (rest, [name], { scope, expires }: { scope?: Scope[]; expires: string }) => {
        const body = { name, ...given({ scopes: scope }), expires: orNull(expires) };
        const made = await take(rest.POST('/api/v1/apikeys', { body }));
        return { answer: made, text: () => made.secret };
      }),
    );
  listing(apikey.command('list').alias('ls'))
    .description('all keys, without their secrets')
    .action(
      run(context, async (rest) => {
        const answer = await everyPage((query) => rest.GET('/api/v1/apikeys', { params: { query } }));
        return {
          answer,
          text: (screen) => screen.table(columns(screen), answer.items),
          none: 'no API keys: make one with `warren apikey create`',
        };
      }),
    );
  common(apikey.command('show').argument('<id>'))
    .description('one key, without its secret')
    .action(run(context, async (rest, [id]) => shown(await take(rest.GET('/api/v1/apikeys/{id}', byId(id))))));
  common(apikey.command('revoke').argument('<id>'))
    .description('end a key')
    .action(
      run(context, async (rest, [id]) => {
        await take(rest.DELETE('/api/v1/apikeys/{id}', byId(id)));
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

const columns = (screen: Screen): Column<Schemas['ApiKey']>[] => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name, fit: 'cut' },
  { title: 'SCOPES', cell: ({ scopes }) => scopes.join(', '), fit: 'cut' },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'LAST USED', cell: ({ lastUsedAt }) => screen.ago(lastUsedAt, 'never') },
  { title: 'CREATED', cell: ({ createdAt }) => screen.ago(createdAt), fit: 'drop' },
];

const SOON = 7 * 86_400_000;

/** When something ends, marked when that is soon, or has been. */
export function expiryCell(time: string | null, screen: Screen): Cell {
  if (time === null) return 'never';
  const left = Date.parse(time) - screen.now;
  return { text: screen.ago(time), tone: left <= 0 ? 'bad' : left < SOON ? 'warning' : undefined };
}
