import { WarrenError } from '@warren/base';
import { type Command, Option } from 'commander';
import {
  all,
  type CommandContext,
  common,
  fields,
  type Item,
  list,
  nameable,
  nameOf,
  query,
  ROLES,
  run,
  text,
} from './command.js';
import { table } from './output.js';
import type { RestClient } from './rest-client.js';

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
  common(node.command('list'))
    .description('all nodes')
    .option('--network <network>', 'name or id')
    .addOption(new Option('--status <status>').choices(['pending', 'active', 'revoked', 'expired']))
    .action(
      run(context, async (rest, _, { network, status }) => ({
        answer: await all(rest, `/nodes?${query({ network, status, limit: 500 })}`),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['NAME', 'NETWORK', 'ROLE', 'STATUS', 'ONLINE', 'ADDRESSES', 'ID'],
            items.map((item) => [
              text(item.name),
              text(item.network),
              text(item.role),
              text(item.status),
              item.online === null ? '-' : item.online ? 'yes' : 'no',
              list(item.addresses),
              text(item.id),
            ]),
          ),
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
  onNode(node.command('revoke'), 'cut it off at once and for ever: its keys cannot come back').action(
    run(context, async (rest, [name], { network }) => {
      const { id } = await findNode(rest, name, network);
      return { answer: await rest.call('POST', `/nodes/${id}/revoke`), text: (item: Item) => `revoked ${item.name}` };
    }),
  );
  onNode(node.command('delete'), 'remove it; a revoked one stays banned').action(
    run(context, async (rest, [name], { network }) => {
      const { id } = await findNode(rest, name, network);
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
}

const onNode = (command: Command, description: string): Command =>
  common(command.argument('<node>', 'name or id')).description(description).option('--network <network>', 'name or id');

/** By id, or by name: active before others, because a revoked node's name may be used again. */
async function findNode(rest: RestClient, name: string, network: unknown): Promise<Item & { id: string }> {
  if (/^[0-9a-f-]{36}$/.test(name)) return (await rest.call('GET', `/nodes/${name}`)) as Item & { id: string };
  const { items } = await all(rest, `/nodes?${query({ q: name, network, limit: 500 })}`);
  const named = items.filter((item) => item.name === name) as (Item & { id: string })[];
  const active = named.filter((item) => item.status === 'active');
  const candidates = active.length > 0 ? active : named;
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length === 0)
    throw new WarrenError('not-found', `there is no node ${JSON.stringify(name)}: see \`warren node list\``);
  const where = candidates.map((item) => `${item.network}: ${item.id}`).join(', ');
  throw new WarrenError('ambiguous', `several nodes are named ${name} (${where}): give --network or the id`);
}
