import { WarrenError } from '@warren/base';
import { type Command, Option } from 'commander';
import { collect, duration, limit, mtu, uses } from './arguments.js';
import { type Output, record, table } from './output.js';
import type { RestClient } from './rest-client.js';

/** What every command that speaks to a running control plane needs. */
export interface CommandContext {
  readonly output: Output;
  /** Opened when a command runs, because its options say where to. */
  client(command: Command): RestClient;
}

type Item = Readonly<Record<string, unknown>>;
const ROLES = ['client', 'direct', 'bounce'];

export function networkCommands(program: Command, context: CommandContext): void {
  const network = program.command('network').description('networks: prefixes that nodes get addresses from');
  common(network.command('create').argument('<name>'))
    .description('make a network')
    .requiredOption('--cidr <prefix>', 'such as 10.45.0.0/16; repeat it for IPv6', collect)
    .option('--mtu <bytes>', 'inner MTU', mtu)
    .action(
      run(context, async (rest, [name], { cidr, mtu: bytes }) => ({
        answer: await rest.call('POST', '/networks', { name, cidrs: cidr, mtu: bytes }),
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

export function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('join tokens');
  common(token.command('create'))
    .description('make a token for `agent join`; prints it alone')
    .option('--network <network>', 'name or id', 'default')
    .addOption(new Option('--role <role>', 'the role that nodes get').choices(ROLES))
    .option('--uses <count>', 'how many hosts may join, or unlimited', uses, 1)
    .option('--expires <duration>', 'such as 30m, 1h, 7d, or never', duration, '1h')
    .option('--tag <tag>', 'tag of the nodes; may be repeated', collect)
    .option('--ephemeral', 'nodes are removed after they go')
    .action(
      run(context, async (rest, _, { network, role, uses: maxUses, expires, tag, ephemeral }) => ({
        answer: await rest.call('POST', '/tokens', {
          network,
          role,
          maxUses,
          expires,
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

export function nodeCommands(program: Command, context: CommandContext): void {
  const node = program.command('node').description('members of networks');
  common(node.command('create').argument('<name>'))
    .description('add a vanilla member: any official WireGuard client')
    .option('--network <network>', 'name or id', 'default')
    .requiredOption('--public-key <key>', 'its WireGuard public key (`wg pubkey`); the private key stays with it')
    .addOption(new Option('--role <role>').choices(ROLES).default('client'))
    .option('--endpoint <host:port>', 'how others reach it: direct and bounce')
    .action(
      run(context, async (rest, [name], { network, publicKey, role, endpoint }) => ({
        answer: await rest.call('POST', '/nodes', { network, name, publicKey, role, endpoint }),
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

export function adminCommands(program: Command, context: CommandContext): void {
  const apikey = program.command('apikey').description('keys for REST');
  common(apikey.command('create').argument('<name>', 'what it is for'))
    .description('make a key; prints it alone, once')
    .action(
      run(context, async (rest, [name]) => ({
        answer: await rest.call('POST', '/apikeys', { name }),
        text: (item: Item) => text(item.secret),
      })),
    );
  common(apikey.command('list'))
    .description('all keys, without their secrets')
    .action(
      run(context, async (rest) => ({
        answer: await rest.call('GET', '/apikeys'),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['ID', 'NAME', 'CREATED', 'LAST USED'],
            items.map((item) => [
              text(item.id),
              text(item.name),
              text(item.createdAt),
              text(item.lastUsedAt ?? 'never'),
            ]),
          ),
      })),
    );
  common(apikey.command('revoke').argument('<id>'))
    .description('end a key')
    .action(
      run(context, async (rest, [id]) => {
        await rest.call('DELETE', `/apikeys/${part(id)}`);
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
  common(program.command('audit'))
    .description('who changed what, latest first')
    .option('--limit <count>', 'how many', limit, 50)
    .action(
      run(context, async (rest, _, { limit: count }) => ({
        answer: await rest.call('GET', `/audit?limit=${count}`),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['AT', 'ACTOR', 'ACTION', 'SUBJECT'],
            items.map((item) => [text(item.at), text(item.actor), text(item.action), text(item.subject)]),
          ),
      })),
    );
  common(program.command('status'))
    .description('what the control plane is doing')
    .action(
      run(context, async (rest) => ({
        answer: await rest.call('GET', '/status'),
        text: (item: Item) =>
          [
            record({
              version: text(item.version),
              started: text(item.startedAt),
              database: text(item.database),
              http: text(item.http),
              agents: list(item.agents),
            }),
            '',
            table(
              ['NETWORK', 'CIDRS', 'REVISION', 'CONNECTED'],
              (item.networks as Item[]).map((network) => [
                text(network.name),
                list(network.cidrs),
                text(network.revision),
                text(network.connected),
              ]),
            ),
          ].join('\n'),
      })),
    );
}

/** Options that every command has. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'print JSON')
    .option('--data-dir <path>', 'of the control plane on this machine (WARREN_DATA_DIR)');

const onNode = (command: Command, description: string): Command =>
  common(command.argument('<node>', 'name or id')).description(description).option('--network <network>', 'name or id');

// biome-ignore lint/suspicious/noExplicitAny: commander gives options and arguments without types
type Given = any;

function run<Answer>(
  context: CommandContext,
  perform: (
    rest: RestClient,
    args: readonly Given[],
    options: Given,
  ) => Promise<{ answer: unknown; text: (answer: Answer) => string }>,
): (...given: Given[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.opts();
    const { answer, text: render } = await perform(context.client(command), command.args, options);
    context.output.out(`${options.json ? JSON.stringify(answer, null, 2) : render(answer as Answer)}\n`);
  };
}

/** By id, or by name: active before others, because a revoked node's name may be used again. */
async function findNode(rest: RestClient, name: string, network: string | undefined): Promise<Item & { id: string }> {
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

async function all(rest: RestClient, path: string): Promise<{ items: Item[] }> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = (await rest.call('GET', path + (cursor ? `&cursor=${part(cursor)}` : ''))) as {
      items: Item[];
      nextCursor: string | null;
    };
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return { items };
}

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) search.set(key, String(value));
  return search.toString();
}

function tokenState(item: Item): string {
  if (item.revokedAt) return 'revoked';
  if (item.expiresAt && Date.parse(text(item.expiresAt)) <= Date.now()) return 'expired';
  return item.maxUses !== null && Number(item.uses) >= Number(item.maxUses) ? 'used up' : 'usable';
}

const part = (value: unknown): string => encodeURIComponent(String(value));
const text = (value: unknown): string => String(value);
const list = (value: unknown): string => (value as readonly unknown[]).join(', ');
const fields = (item: Item): string =>
  record(
    Object.fromEntries(
      Object.entries(item).map(([key, value]) => [key, Array.isArray(value) ? list(value) : text(value ?? '-')]),
    ),
  );
