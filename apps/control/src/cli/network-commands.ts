import { WarrenError } from '@warren/base';
import type { Command } from 'commander';
import { absence, collect, duration, mtu } from './arguments.js';
import {
  all,
  type CommandContext,
  common,
  confirm,
  destructive,
  fields,
  type Item,
  list,
  listing,
  nameable,
  nameOf,
  type Options,
  part,
  run,
  text,
} from './command.js';
import type { Column } from './screen.js';

const COLUMNS: readonly Column<Item>[] = [
  { title: 'NAME', cell: ({ name }) => text(name) },
  { title: 'CIDRS', cell: ({ cidrs }) => list(cidrs), fit: 'cut' },
  { title: 'MTU', cell: ({ mtu: bytes }) => text(bytes), fit: 'drop' },
  { title: 'REVISION', cell: ({ revision }) => text(revision), fit: 'drop' },
  { title: 'ID', cell: ({ id }) => text(id), fit: 'drop' },
];

/** As REST wants them: null where the word is no duration. */
function times({ offlineTolerance, keyExpiry, keyRotation, ephemeralAfter }: Options) {
  const orNull = (word: unknown): unknown => (word === 'never' || word === 'default' ? null : word);
  return {
    offlineTolerance: orNull(offlineTolerance),
    keyExpiry: orNull(keyExpiry),
    keyRotation: orNull(keyRotation),
    ephemeralAfter: orNull(ephemeralAfter),
  };
}

export function networkCommands(program: Command, context: CommandContext): void {
  const network = program.command('network').description('networks: prefixes that nodes get addresses from');
  nameable(common(network.command('create')))
    .description('make a network')
    .requiredOption('--cidr <prefix>', 'such as 10.45.0.0/16; repeat it for IPv6', collect)
    .option('--mtu <bytes>', 'inner MTU', mtu)
    .action(
      run(context, async (rest, [name], options) => ({
        answer: await rest.call('POST', '/networks', {
          name: nameOf(name, options),
          cidrs: options.cidr,
          mtu: options.mtu,
        }),
        text: (item: Item) => `${item.name} ${list(item.cidrs)}`,
      })),
    );
  listing(network.command('list').alias('ls'))
    .description('all networks')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/networks?limit=500'),
        text: ({ items }: { items: Item[] }, screen) => screen.table(COLUMNS, items),
        none: 'no networks: make one with `warren network create`',
      })),
    );
  common(network.command('show').argument('<network>', 'name or id'))
    .description('one network')
    .action(
      run(context, async (rest, [name]) => ({
        answer: await rest.call('GET', `/networks/${part(name)}`),
        text: fields,
      })),
    );
  common(network.command('set').argument('<network>', 'name or id'))
    .description('change a network')
    .option('--name <name>', 'rename it')
    .option('--mtu <bytes>', 'inner MTU', mtu)
    .option(
      '--offline-tolerance <duration>',
      'how long agents go on without the control plane, or never: no limit',
      duration,
    )
    .option('--key-expiry <duration>', 'how long the keys of agents are good, or never: for ever', duration)
    .option('--key-rotation <duration>', 'the age at which agents change their key by themselves, or never', duration)
    .option('--ephemeral-after <duration>', 'how long ephemeral nodes may be gone, or default', absence)
    .action(
      run(context, async (rest, [id], options) => {
        const { name, mtu: bytes } = options;
        const change = { name, mtu: bytes, ...times(options) };
        if (Object.values(change).every((value) => value === undefined))
          throw new WarrenError('usage', 'say what to set, such as --name or --mtu (see --help)');
        return { answer: await rest.call('PATCH', `/networks/${part(id)}`, change), text: fields };
      }),
    );
  destructive(common(network.command('delete').alias('rm').argument('<network>', 'name or id')))
    .description('delete a network without active nodes')
    .action(
      run(context, async (rest, [name], options, output) => {
        await confirm(output, options, 'delete', name);
        await rest.call('DELETE', `/networks/${part(name)}`);
        return { answer: { deleted: name }, text: () => `deleted ${name}` };
      }),
    );
}
