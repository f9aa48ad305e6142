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
    .option('--name <name>', 'what it is for, for people')
    .addOption(new Option('--role <role>', 'the role that nodes get').choices(ROLES))
    .option('--uses <count>', 'how many hosts may join, or unlimited', uses, 1)
    .option('--expires <duration>', 'such as 30m, 1h, 7d, or never', duration, '1h')
    .option('--tag <tag>', 'tag of the nodes; may be repeated', collect)
    .option('--ephemeral', 'nodes are removed when they were away for long (`warren network set --ephemeral-after`)')
    .option('--approval', 'nodes wait until `warren node approve`')
    .action(
      run(context, async (rest, _, { network, name, role, uses: maxUses, expires, tag, ephemeral, approval }) => ({
        answer: await rest.call('POST', '/tokens', {
          network,
          name,
          role,
          // commander takes a null from a parser for a missing value, so the words come as they are.
          maxUses: maxUses === 'unlimited' ? null : maxUses,
          expires: expires === 'never' ? null : expires,
          tags: tag ?? [],
          ephemeral: ephemeral === true,
          approval: approval === true,
        }),
        text: (item: Item) => text(item.token),
      })),
    );
  listing(token.command('list').alias('ls'))
    .description('all tokens, without their secrets')
    .option('--network <network>', 'name or id')
    .addOption(new Option('--state <state>').choices(['usable', 'used-up', 'expired', 'revoked']))
    .action(
      run(context, async (rest, _, { network, state }) => ({
        answer: await all(rest, `/tokens?${query({ network, state, limit: 500 })}`),
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
  { title: 'NAME', cell: ({ name }) => text(name ?? '-'), fit: 'cut' },
  { title: 'ROLE', cell: ({ role }) => text(role ?? 'any') },
  { title: 'USES', cell: ({ uses: used, maxUses }) => `${used}/${maxUses ?? '∞'}` },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'STATE', cell: ({ state }) => text(state).replace('-', ' ') },
];
