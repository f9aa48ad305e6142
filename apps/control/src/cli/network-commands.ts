import { WarrenError } from '@warren/base';
import type { Command } from 'commander';
import { collect, mtu } from './arguments.js';
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
    .action(
      run(context, async (rest, [id], { name, mtu: bytes }) => {
        if (name === undefined && bytes === undefined)
          throw new WarrenError('usage', 'say what to set: --name or --mtu');
        return { answer: await rest.call('PATCH', `/networks/${part(id)}`, { name, mtu: bytes }), text: fields };
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
