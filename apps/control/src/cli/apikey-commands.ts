import type { Command } from 'commander';
import { collect, duration } from './arguments.js';
import { all, type CommandContext, common, type Item, list, listing, part, run, text } from './command.js';
import type { Cell, Column, Screen } from './screen.js';

/** `warren apikey`: keys for REST. */
export function apiKeyCommands(program: Command, context: CommandContext): void {
  const apikey = program.command('apikey').description('keys for REST');
  common(apikey.command('create').argument('[name]', 'what it is for', 'unnamed'))
    .description('make a key; prints it alone, once')
    .option('--scope <scope>', 'what it may do, such as nodes:read; may be repeated (default: everything)', collect)
    .option('--expires <duration>', 'such as 30d, or never', duration, 'never')
    .action(
      run(context, async (rest, [name], { scope, expires }) => ({
        answer: await rest.call('POST', '/apikeys', {
          name,
          ...(scope === undefined ? {} : { scopes: scope }),
          ...(expires === 'never' ? {} : { expires }),
        }),
        text: (item: Item) => text(item.secret),
      })),
    );
  listing(apikey.command('list').alias('ls'))
    .description('all keys, without their secrets')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/apikeys?limit=500'),
        text: ({ items }: { items: Item[] }, screen) => screen.table(columns(screen), items),
        none: 'no API keys: make one with `warren apikey create`',
      })),
    );
  common(apikey.command('revoke').argument('<id>'))
    .description('end a key')
    .action(
      run(context, async (rest, [id]) => {
        await rest.call('DELETE', `/apikeys/${part(id)}`);
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

const columns = (screen: Screen): Column<Item>[] => [
  { title: 'ID', cell: ({ id }) => text(id) },
  { title: 'NAME', cell: ({ name }) => text(name), fit: 'cut' },
  { title: 'SCOPES', cell: ({ scopes }) => list(scopes), fit: 'cut' },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'LAST USED', cell: ({ lastUsedAt }) => screen.ago(lastUsedAt, 'never') },
  { title: 'CREATED', cell: ({ createdAt }) => screen.ago(createdAt), fit: 'drop' },
];

const SOON = 7 * 86_400_000;

/** When something ends, marked when that is soon, or has been. */
export function expiryCell(time: unknown, screen: Screen): Cell {
  if (typeof time !== 'string') return 'never';
  const left = Date.parse(time) - screen.now;
  return { text: screen.ago(time), tone: left <= 0 ? 'bad' : left < SOON ? 'warning' : undefined };
}
