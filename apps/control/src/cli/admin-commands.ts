import type { Command } from 'commander';
import { limit } from './arguments.js';
import { type CommandContext, common, type Item, list, part, run, text } from './command.js';
import { record, table } from './output.js';
import { signalServerTable } from './signal-commands.js';

const relayLine = ({ sessions, relayedBytes }: Item): string => `${sessions} agents, ${relayedBytes} bytes relayed`;

export function adminCommands(program: Command, context: CommandContext): void {
  const apikey = program.command('apikey').description('keys for REST');
  common(apikey.command('create').argument('[name]', 'what it is for', 'unnamed'))
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
              stun: text(item.stun),
              relay: relayLine(item.relay as Item),
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
            '',
            signalServerTable(item.signalServers as Item[]),
          ].join('\n'),
      })),
    );
}
