import { type Schemas, take } from '@warren/client';
import { type Command, Option } from 'commander';
import { collect } from './arguments.js';
import { byId, type CommandContext, common, confirm, destructive, given, run } from './command.js';
import { everyPage } from './rest-client.js';
import type { Column, Screen } from './screen.js';

type Renumbering = Schemas['Renumbering'];

const RESERVATIONS: readonly Column<Schemas['Reservation']>[] = [
  { title: 'ADDRESSES', cell: ({ prefix }) => prefix },
  { title: 'FOR', cell: ({ name }) => name ?? 'nobody' },
  { title: 'NOTE', cell: ({ note }) => note, fit: 'cut' },
];

const ADDRESSES: readonly Column<Schemas['Address']>[] = [
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'NODE', cell: ({ node, name }) => node?.name ?? name ?? '-' },
  { title: 'UNTIL', cell: ({ until }) => until ?? '-', fit: 'drop' },
  { title: 'NOTE', cell: ({ note }) => note ?? '', fit: 'cut' },
];

const MOVES: readonly Column<Renumbering['nodes'][number]>[] = [
  { title: 'NODE', cell: ({ name }) => name },
  { title: 'BEFORE', cell: ({ before }) => before.join(', '), fit: 'cut' },
  { title: 'AFTER', cell: ({ after }) => after.join(', ') },
];

const STATES = ['in-use', 'resting', 'reserved'] as const;

/** Below `warren network`: which addresses a network has, for whom they are kept, and other ones for all. */
export function addressCommands(network: Command, context: CommandContext): void {
  addReserve(network, context);
  addUnreserve(network, context);
  common(network.command('reservations').argument('<network>', 'name or id'))
    .description('what is reserved in a network')
    .action(
      run(context, async (rest, [id]) => {
        const path = { id };
        const answer = await everyPage((query) =>
          rest.GET('/api/v1/networks/{id}/reservations', { params: { path, query } }),
        );
        return {
          answer,
          text: (screen) => screen.table(RESERVATIONS, answer.items),
          none: 'nothing is reserved: `warren network reserve` does it',
        };
      }),
    );
  common(network.command('addresses').argument('<network>', 'name or id'))
    .description('addresses that are in use, rest, or are reserved')
    .addOption(new Option('--state <state>', 'only those').choices(STATES))
    .action(
      run(context, async (rest, [id], { state }: { state?: (typeof STATES)[number] }) => {
        const answer = await everyPage((query) =>
          rest.GET('/api/v1/networks/{id}/addresses', {
            params: { path: { id }, query: { ...query, ...given({ state }) } },
          }),
        );
        return { answer, text: (screen) => screen.table(ADDRESSES, answer.items), none: 'no such addresses' };
      }),
    );
  addRenumber(network, context);
}

function addReserve(network: Command, context: CommandContext): void {
  common(network.command('reserve').argument('<network>', 'name or id').argument('<addresses>', 'one, or a prefix'))
    .description('hand addresses to nobody, or to the node of one name only')
    .option('--name <node>', 'the node that gets it when it joins; it need not be there yet')
    .option('--note <text>', 'what it is for')
    .action(
      run(context, async (rest, [id, prefix], { name, note }: { name?: string; note?: string }) => {
        const body = { prefix, ...given({ name, note }) };
        const made = await take(rest.POST('/api/v1/networks/{id}/reservations', { ...byId(id), body }));
        return { answer: made, text: () => `reserved ${made.prefix} for ${made.name ?? 'nobody'}` };
      }),
    );
}

function addUnreserve(network: Command, context: CommandContext): void {
  common(network.command('unreserve').argument('<network>', 'name or id').argument('<addresses>', 'as it was reserved'))
    .description('hand them out again')
    .action(
      run(context, async (rest, [id, prefix]) => {
        const path = { id, prefix };
        await take(rest.DELETE('/api/v1/networks/{id}/reservations/{prefix}', { params: { path } }));
        return { answer: { unreserved: prefix }, text: () => `${prefix} is no longer reserved` };
      }),
    );
}

interface RenumberOptions {
  readonly cidr: string[];
  readonly pool?: string[];
  readonly dryRun?: boolean;
  readonly allowLanClash?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function addRenumber(network: Command, context: CommandContext): void {
  destructive(common(network.command('renumber').argument('<network>', 'name or id')))
    .description('give a network other prefixes, and all its nodes other addresses')
    .requiredOption('--cidr <prefix>', 'such as 10.45.0.0/16; all that it shall have, repeat it for IPv6', collect)
    .option('--pool <prefix>', 'hand addresses out of this part only; may be repeated', collect)
    .option('--dry-run', 'show what would become of it, and change nothing')
    .option('--allow-lan-clash', 'also when LANs of hosts overlap')
    .action(
      run(context, async (rest, [id], options: RenumberOptions, output) => {
        const { name } = await take(rest.GET('/api/v1/networks/{id}', byId(id)));
        const { cidr: cidrs, pool: pools, dryRun = false, allowLanClash = false } = options;
        if (!dryRun) await confirm(output, options, 'renumber', name);
        const body = { cidrs, dryRun, allowLanClash, ...given({ pools }) };
        const answer = await take(rest.POST('/api/v1/networks/{id}/renumber', { ...byId(id), body }));
        return { answer, text: (screen) => renumberText(answer, screen) };
      }),
    );
}

function renumberText(renumbering: Renumbering, screen: Screen): string {
  const { network, nodes, reservations, lanClashes, warnings, dryRun } = renumbering;
  const files = nodes.filter(({ newFile }) => newFile).map(({ name }) => name);
  const lines = [
    nodes.length > 0 ? screen.table(MOVES, nodes) : 'no nodes',
    ...reservations.map(
      ({ before, after }) => `reservation ${before}: ${after ?? 'has no place there and is dropped'}`,
    ),
    ...lanClashes.map(({ name, cidr, lan }) => `LAN clash: ${cidr} overlaps ${lan} of ${name}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(files.length > 0 ? [`vanilla members that need their new file: ${files.join(', ')}`] : []),
    `${network.name} ${dryRun ? 'would have' : 'now has'} ${network.cidrs.join(', ')}`,
  ];
  return lines.join('\n');
}
