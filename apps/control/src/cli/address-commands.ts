import type { Command } from 'commander';
import { collect } from './arguments.js';
import {
  all,
  type CommandContext,
  common,
  confirm,
  destructive,
  type Item,
  list,
  part,
  query,
  run,
  text,
} from './command.js';
import type { Column, Screen } from './screen.js';

const RESERVATIONS: readonly Column<Item>[] = [
  { title: 'ADDRESSES', cell: ({ prefix }) => text(prefix) },
  { title: 'FOR', cell: ({ name }) => text(name ?? 'nobody') },
  { title: 'NOTE', cell: ({ note }) => text(note), fit: 'cut' },
];

const ADDRESSES: readonly Column<Item>[] = [
  { title: 'ADDRESS', cell: ({ address }) => text(address) },
  { title: 'STATE', cell: ({ state }) => text(state) },
  { title: 'NODE', cell: ({ node, name }) => text((node as Item | null)?.name ?? name ?? '-') },
  { title: 'UNTIL', cell: ({ until }) => text(until ?? '-'), fit: 'drop' },
  { title: 'NOTE', cell: ({ note }) => text(note ?? ''), fit: 'cut' },
];

const MOVES: readonly Column<Item>[] = [
  { title: 'NODE', cell: ({ name }) => text(name) },
  { title: 'BEFORE', cell: ({ before }) => list(before), fit: 'cut' },
  { title: 'AFTER', cell: ({ after }) => list(after) },
];

/** Below `warren network`: which addresses a network has, for whom they are kept, and other ones for all. */
export function addressCommands(network: Command, context: CommandContext): void {
  reservationCommands(network, context);
  common(network.command('addresses').argument('<network>', 'name or id'))
    .description('addresses that are in use, rest, or are reserved')
    .option('--state <state>', 'in-use, resting or reserved')
    .action(
      run(context, async (rest, [name], { state }) => ({
        answer: await all(rest, `/networks/${part(name)}/addresses?${query({ state, limit: 500 })}`),
        text: ({ items }: { items: Item[] }, screen) => screen.table(ADDRESSES, items),
        none: 'every address is free',
      })),
    );
  destructive(common(network.command('renumber').argument('<network>', 'name or id')))
    .description('give a network other prefixes, and all its nodes other addresses')
    .requiredOption('--cidr <prefix>', 'such as 10.45.0.0/16; all that it shall have, repeat it for IPv6', collect)
    .option('--pool <prefix>', 'hand addresses out of this part only; may be repeated', collect)
    .option('--dry-run', 'show what would become of it, and change nothing')
    .option('--allow-lan-clash', 'also when LANs of hosts overlap')
    .action(
      run(context, async (rest, [name], options, output) => {
        const { cidr: cidrs, pool: pools, allowLanClash } = options;
        const path = `/networks/${part(name)}/renumber`;
        if (!options.dryRun) await confirm(output, options, 'renumber', name);
        const answer = await rest.call('POST', path, { cidrs, pools, dryRun: options.dryRun === true, allowLanClash });
        return { answer, text: renumberText };
      }),
    );
}

function reservationCommands(network: Command, context: CommandContext): void {
  common(network.command('reserve').argument('<network>', 'name or id').argument('<addresses>', 'one, or a prefix'))
    .description('hand addresses to nobody, or to the node of one name only')
    .option('--name <node>', 'the node that gets it when it joins; it need not be there yet')
    .option('--note <text>', 'what it is for')
    .action(
      run(context, async (rest, [id, prefix], { name, note }) => ({
        answer: await rest.call('POST', `/networks/${part(id)}/reservations`, { prefix, name, note }),
        text: (item: Item) => `reserved ${item.prefix} for ${item.name ?? 'nobody'}`,
      })),
    );
  common(network.command('unreserve').argument('<network>', 'name or id').argument('<addresses>', 'as it was reserved'))
    .description('hand them out again')
    .action(
      run(context, async (rest, [id, prefix]) => {
        await rest.call('DELETE', `/networks/${part(id)}/reservations/${part(prefix)}`);
        return { answer: { unreserved: prefix }, text: () => `${prefix} is no longer reserved` };
      }),
    );
  common(network.command('reservations').argument('<network>', 'name or id'))
    .description('what is reserved in a network')
    .action(
      run(context, async (rest, [name]) => ({
        answer: await all(rest, `/networks/${part(name)}/reservations?limit=500`),
        text: ({ items }: { items: Item[] }, screen) => screen.table(RESERVATIONS, items),
        none: 'nothing is reserved: `warren network reserve` does it',
      })),
    );
}

function renumberText(answer: Item, screen: Screen): string {
  const { network, nodes, reservations, lanClashes, warnings, dryRun } = answer as {
    network: Item;
    nodes: Item[];
    reservations: Item[];
    lanClashes: Item[];
    warnings: string[];
    dryRun: boolean;
  };
  const files = nodes.filter(({ newFile }) => newFile).map(({ name }) => text(name));
  const lines = [
    nodes.length > 0 ? screen.table(MOVES, nodes) : 'no nodes',
    ...reservations.map(
      ({ before, after }) => `reservation ${before}: ${after ?? 'has no place there and is dropped'}`,
    ),
    ...lanClashes.map(({ name, cidr, lan }) => `LAN clash: ${cidr} overlaps ${lan} of ${name}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(files.length > 0 ? [`vanilla members that need their new file: ${files.join(', ')}`] : []),
    `${network.name} ${dryRun ? 'would have' : 'now has'} ${list(network.cidrs)}`,
  ];
  return lines.join('\n');
}
