import { type Command, Option } from 'commander';
import { collect, duration, uses } from './arguments.js';
import { all, type CommandContext, common, type Item, part, query, ROLES, run, text } from './command.js';
import { table } from './output.js';

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
  common(token.command('list'))
    .description('all tokens, without their secrets')
    .option('--network <network>', 'name or id')
    .action(
      run(context, async (rest, _, { network }) => ({
        answer: await all(rest, `/tokens?${query({ network, limit: 500 })}`),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['ID', 'ROLE', 'USES', 'EXPIRES', 'STATE'],
            items.map((item) => [
              text(item.id),
              text(item.role ?? 'any'),
              `${item.uses}/${item.maxUses ?? '∞'}`,
              text(item.expiresAt ?? 'never'),
              tokenState(item),
            ]),
          ),
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

function tokenState(item: Item): string {
  if (item.revokedAt) return 'revoked';
  if (item.expiresAt && Date.parse(text(item.expiresAt)) <= Date.now()) return 'expired';
  return item.maxUses !== null && Number(item.uses) >= Number(item.maxUses) ? 'used up' : 'usable';
}
