import { type Schemas, take } from '@warren/client';
import { type Command, Option } from 'commander';
import { expiryCell } from './apikey-commands.js';
import { collect, duration, uses } from './arguments.js';
import { byId, type CommandContext, common, given, listing, orNull, ROLES, type Role, run } from './command.js';
import { shown } from './fields.js';
import { everyPage } from './rest-client.js';
import type { Column, Screen } from './screen.js';

export function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('join tokens');
  addCreate(token, context);
  listing(token.command('list').alias('ls'))
    .description('all tokens, without their secrets')
    .option('--network <network>', 'name or id')
    .addOption(new Option('--state <state>').choices(STATES))
    .action(
      run(context, async (rest, _, options: { network?: string; state?: (typeof STATES)[number] }) => {
        const filter = given({ network: options.network, state: options.state });
        const list = (page: object) => rest.GET('/api/v1/tokens', { params: { query: { ...filter, ...page } } });
        const answer = await everyPage(list);
        return {
          answer,
          text: (screen) => screen.table(columns(screen), answer.items),
          none: 'no tokens: make one with `warren token create`',
        };
      }),
    );
  common(token.command('show').argument('<id>'))
    .description('one token, without its secret')
    .action(run(context, async (rest, [id]) => shown(await take(rest.GET('/api/v1/tokens/{id}', byId(id))))));
  common(token.command('revoke').argument('<id>'))
    .description('end a token')
    .action(
      run(context, async (rest, [id]) => {
        await take(rest.DELETE('/api/v1/tokens/{id}', byId(id)));
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

const STATES = ['usable', 'used-up', 'expired', 'revoked'] as const;

interface Create {
  readonly network: string;
  readonly name?: string;
  readonly role?: Role;
  readonly uses: number | 'unlimited';
  readonly expires: string;
  readonly tag?: string[];
  readonly ephemeral?: boolean;
  readonly approval?: boolean;
}

function addCreate(token: Command, context: CommandContext): void {
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
      run(context, async (rest, _, options: Create) => {
        const { network, name, role, uses: maxUses, expires, tag: tags = [], ephemeral = false } = options;
        const body = {
          ...{ network, tags, ephemeral, ...given({ name, role }), expires: orNull(expires) },
          approval: options.approval === true,
          maxUses: maxUses === 'unlimited' ? null : maxUses,
        };
        const made = await take(rest.POST('/api/v1/tokens', { body }));
        return { answer: made, text: () => made.token };
      }),
    );
}

const columns = (screen: Screen): Column<Schemas['Token']>[] => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name ?? '-', fit: 'cut' },
  { title: 'ROLE', cell: ({ role }) => role ?? 'any' },
  { title: 'USES', cell: ({ uses: used, maxUses }) => `${used}/${maxUses ?? '∞'}` },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'STATE', cell: ({ state }) => state.replace('-', ' ') },
];
