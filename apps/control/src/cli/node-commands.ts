import { take } from '@warren/client';
import { type Command, Option } from 'commander';
import { byId, type CommandContext, confirm, destructive, given, listing, run } from './command.js';
import { shown } from './fields.js';
import { findNode, onNode } from './find-node.js';
import { nodeKeyCommands } from './node-key-commands.js';
import { nodeLifecycleCommands } from './node-lifecycle-commands.js';
import { NODE_COLUMNS } from './node-table.js';
import { everyPage } from './rest-client.js';
import { explainCommand } from './topology-commands.js';
import { vanillaCommands } from './vanilla-commands.js';

const STATUSES = ['pending', 'active', 'revoked', 'expired'] as const;
interface InNetwork {
  readonly network?: string;
}
type Destructive = InNetwork & { readonly yes?: boolean; readonly json?: boolean };

export function nodeCommands(program: Command, context: CommandContext): void {
  const node = program.command('node').description('members of networks');
  addList(node, context);
  onNode(node.command('show'), 'one node').action(
    run(context, async (rest, [name], { network }: InNetwork) => shown(await findNode(rest, name, network))),
  );
  onNode(node.command('rename'), 'change its name')
    .argument('<new-name>')
    .action(
      run(context, async (rest, [name, next], { network }: InNetwork) => {
        const { id } = await findNode(rest, name, network);
        const renamed = await take(rest.PATCH('/api/v1/nodes/{id}', { ...byId(id), body: { name: next } }));
        return { answer: renamed, text: () => `renamed ${name} to ${renamed.name}` };
      }),
    );
  destructive(onNode(node.command('revoke'), 'cut it off at once and for ever: its keys cannot come back')).action(
    run(context, async (rest, [name], options: Destructive, output) => {
      const found = await findNode(rest, name, options.network);
      await confirm(output, options, 'revoke', found.name);
      const revoked = await take(rest.POST('/api/v1/nodes/{id}/revoke', byId(found.id)));
      return { answer: revoked, text: () => `revoked ${revoked.name}` };
    }),
  );
  destructive(onNode(node.command('delete').alias('rm'), 'remove it; a revoked one stays banned')).action(
    run(context, async (rest, [name], options: Destructive, output) => {
      const found = await findNode(rest, name, options.network);
      await confirm(output, options, 'delete', found.name);
      await take(rest.DELETE('/api/v1/nodes/{id}', byId(found.id)));
      return { answer: { deleted: found.id }, text: () => `deleted ${found.name}` };
    }),
  );
  onNode(node.command('address'), 'give it other addresses than it has')
    .argument('<address...>', 'one of IPv4, one of IPv6, or both')
    .action(
      run(context, async (rest, args, { network }: InNetwork) => {
        const [name, addresses] = args as unknown as readonly [string, string[]];
        const { id } = await findNode(rest, name, network);
        const moved = await take(rest.PATCH('/api/v1/nodes/{id}', { ...byId(id), body: { addresses } }));
        return { answer: moved, text: () => `${moved.name} ${moved.addresses.join(', ')}` };
      }),
    );
  vanillaCommands(node, context);
  nodeLifecycleCommands(node, context);
  nodeKeyCommands(node, context);
  explainCommand(node, context);
}

function addList(node: Command, context: CommandContext): void {
  listing(node.command('list').alias('ls'))
    .description('all nodes')
    .option('--network <network>', 'name or id')
    .addOption(new Option('--status <status>').choices(STATUSES))
    .option('--search <text>', 'in names')
    .action(
      run(context, async (rest, _, options: InNetwork & { status?: (typeof STATUSES)[number]; search?: string }) => {
        const filter = given({ network: options.network, status: options.status, q: options.search });
        const list = (page: object) => rest.GET('/api/v1/nodes', { params: { query: { ...filter, ...page } } });
        const answer = await everyPage(list);
        return {
          answer,
          text: (screen) => screen.table(NODE_COLUMNS, answer.items),
          none: 'no such nodes: `warren token create` and `agent join` bring some',
        };
      }),
    );
}
