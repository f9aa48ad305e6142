import { type Command, Option } from 'commander';
import { expiryCell } from './apikey-commands.js';
import { collect, duration, uses } from './arguments.js';
import { all, type CommandContext, common, type Item, listing, part, query, ROLES, run, text } from './command.js';
import type { Column, Screen } from './screen.js';

export function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('join tokens');
  common(token.command('create'))
    .description('make a token for `agent join`; prints it alone')
    .option('--network <network>', 'name or id', 'default')
    .addOption(new Option('--role <role>', 'the role that nodes get').choices(ROLES))
    .option('--uses <count>', 'how many hosts may join, or unlimited', uses, 1)
    .option('--expires <duration>', 'such as 30m, 1h, 7d, or never', duration, '1h')
    .option('--tag <tag>', 'tag of the nodes; may be repeated', collect)
    .option('--ephemeral', 'nodes are removed when they were away for five minutes')
    .action(
      run(context, async (rest, _, { network, role, uses: maxUses, expires, tag, ephemeral }) => ({
        answer: await rest.call('POST', '/tokens', {
          network,
          role,
          // commander takes a null from a parser for a missing value, so the words come as they are.
          maxUses: maxUses === 'unlimited' ? null : maxUses,
          expires: expires === 'never' ? null : expires,
          tags: tag ?? [],
          ephemeral: ephemeral === true,
        }),
        text: (item: Item) => text(item.token),
      })),
    );
  listing(token.command('list').alias('ls'))
    .description('all tokens, without their secrets')
    .option('--network <network>', 'name or id')
    .action(
      run(context, async (rest, _, { network }) => ({
        answer: await all(rest, `/tokens?${query({ network, limit: 500 })}`),
        text: ({ items }: { items: Item[] }, screen) => screen.table(columns(screen), items),
        none: 'no tokens: make one with `warren token create`',
      })),
    );
  common(token.command('revoke').argument('<id>'))
    .description('end a token')
    .action(
      run(context, async (rest, [id]) => {
        await rest.call('DELETE', `/tokens/${part(id)}`);
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

const columns = (screen: Screen): Column<Item>[] => [
  { title: 'ID', cell: ({ id }) => text(id) },
  { title: 'ROLE', cell: ({ role }) => text(role ?? 'any') },
  { title: 'USES', cell: ({ uses: used, maxUses }) => `${used}/${maxUses ?? '∞'}` },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'STATE', cell: (item) => tokenState(item, screen.now) },
];

function tokenState(item: Item, now: number): string {
  if (item.revokedAt) return 'revoked';
  if (item.expiresAt && Date.parse(text(item.expiresAt)) <= now) return 'expired';
  return item.maxUses !== null && Number(item.uses) >= Number(item.maxUses) ? 'used up' : 'usable';
}
