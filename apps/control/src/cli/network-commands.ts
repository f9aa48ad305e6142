import { WarrenError } from '@warren/base';
import type { Command } from 'commander';
import { collect, mtu } from './arguments.js';
import {
  all,
  type CommandContext,
  common,
  fields,
  type Item,
  list,
  nameable,
  nameOf,
  part,
  run,
  text,
} from './command.js';
import { table } from './output.js';

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
  common(network.command('list'))
    .description('all networks')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/networks?limit=500'),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['NAME', 'CIDRS', 'MTU', 'REVISION', 'ID'],
            items.map((item) => [
              text(item.name),
              list(item.cidrs),
              text(item.mtu),
              text(item.revision),
              text(item.id),
            ]),
          ),
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
  common(network.command('delete').argument('<network>', 'name or id'))
    .description('delete a network without active nodes')
    .action(
      run(context, async (rest, [name]) => {
        await rest.call('DELETE', `/networks/${part(name)}`);
        return { answer: { deleted: name }, text: () => `deleted ${name}` };
      }),
    );
}
