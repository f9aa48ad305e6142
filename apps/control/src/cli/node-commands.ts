import { type Command, Option } from 'commander';
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
  query,
  ROLES,
  run,
  text,
} from './command.js';
import { findNode, onNode } from './find-node.js';
import { nodeLifecycleCommands } from './node-lifecycle-commands.js';
import type { Cell, Column, Tone } from './screen.js';

const STATUS_TONES: Readonly<Record<string, Tone>> = { pending: 'warning', expired: 'bad', revoked: 'dim' };

const COLUMNS: readonly Column<Item>[] = [
  { title: 'NAME', cell: ({ name }) => text(name) },
  { title: 'NETWORK', cell: ({ network }) => text(network), fit: 'cut' },
  { title: 'ROLE', cell: ({ role }) => text(role), fit: 'drop' },
  { title: 'STATUS', cell: statusCell },
  { title: 'ONLINE', cell: onlineCell },
  { title: 'ADDRESSES', cell: ({ addresses }) => list(addresses), fit: 'cut' },
  { title: 'ID', cell: ({ id }) => text(id), fit: 'drop' },
];

/** A disabled node is pending again; that it was active once is worth knowing. */
function statusCell({ status, disabledAt }: Item): Cell {
  const shown = disabledAt && status === 'pending' ? 'disabled' : text(status);
  return { text: shown, tone: STATUS_TONES[text(status)] };
}

function onlineCell({ online, unavailable }: Item): Cell {
  if (unavailable) return { text: 'unavailable', tone: 'bad' };
  return online === null ? '-' : online ? { text: 'yes', tone: 'good' } : 'no';
}

export function nodeCommands(program: Command, context: CommandContext): void {
  const node = program.command('node').description('members of networks');
  nameable(common(node.command('create')))
    .description('add a vanilla member: any official WireGuard client')
    .option('--network <network>', 'name or id', 'default')
    .requiredOption('--public-key <key>', 'its WireGuard public key (`wg pubkey`); the private key stays with it')
    .addOption(new Option('--role <role>').choices(ROLES).default('client'))
    .option('--endpoint <host:port>', 'how others reach it: direct and bounce')
    .action(
      run(context, async (rest, [name], options) => ({
        answer: await rest.call('POST', '/nodes', {
          network: options.network,
          name: nameOf(name, options),
          publicKey: options.publicKey,
          role: options.role,
          endpoint: options.endpoint,
        }),
        text: (item: Item) => `${item.name} ${list(item.addresses)}`,
      })),
    );
  listing(node.command('list').alias('ls'))
    .description('all nodes')
    .option('--network <network>', 'name or id')
    .addOption(new Option('--status <status>').choices(['pending', 'active', 'revoked', 'expired']))
    .option('--search <text>', 'in names')
    .action(
      run(context, async (rest, _, { network, status, search }) => ({
        answer: await all(rest, `/nodes?${query({ network, status, q: search, limit: 500 })}`),
        text: ({ items }: { items: Item[] }, screen) => screen.table(COLUMNS, items),
        none: 'no such nodes: `warren token create` and `agent join` bring some',
      })),
    );
  onNode(node.command('show'), 'one node').action(
    run(context, async (rest, [name], { network }) => ({
      answer: await findNode(rest, name, network),
      text: fields,
    })),
  );
  onNode(node.command('rename'), 'change its name')
    .argument('<new-name>')
    .action(
      run(context, async (rest, [name, next], { network }) => {
        const { id } = await findNode(rest, name, network);
        return {
          answer: await rest.call('PATCH', `/nodes/${id}`, { name: next }),
          text: (item: Item) => `renamed ${name} to ${item.name}`,
        };
      }),
    );
  destructive(onNode(node.command('revoke'), 'cut it off at once and for ever: its keys cannot come back')).action(
    run(context, async (rest, [name], options, output) => {
      const { id, name: called } = await findNode(rest, name, options.network);
      await confirm(output, options, 'revoke', called);
      return { answer: await rest.call('POST', `/nodes/${id}/revoke`), text: (item: Item) => `revoked ${item.name}` };
    }),
  );
  destructive(onNode(node.command('delete').alias('rm'), 'remove it; a revoked one stays banned')).action(
    run(context, async (rest, [name], options, output) => {
      const { id, name: called } = await findNode(rest, name, options.network);
      await confirm(output, options, 'delete', called);
      await rest.call('DELETE', `/nodes/${id}`);
      return { answer: { deleted: id }, text: () => `deleted ${name}` };
    }),
  );
  onNode(node.command('conf'), 'its wg-quick file, with a placeholder where the private key belongs')
    .option('--peers', 'only the peer sections')
    .action(
      run(context, async (rest, [name], { network, peers }) => {
        const { id } = await findNode(rest, name, network);
        const file = await rest.call('GET', `/nodes/${id}/${peers ? 'peers' : 'wg0'}.conf`);
        return { answer: { conf: file }, text: () => text(file).replace(/\n$/, '') };
      }),
    );
  nodeLifecycleCommands(node, context);
}
