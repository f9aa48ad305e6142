import type { Command } from 'commander';
import { type CommandContext, common, type Item, list, run, text } from './command.js';
import { signalServerTable } from './signal-commands.js';

/** `warren status`: what the control plane is doing. */
export function statusCommands(program: Command, context: CommandContext): void {
  common(program.command('status'))
    .description('what the control plane is doing')
    .action(
      run(context, async (rest) => ({
        answer: await rest.call('GET', '/status'),
        text: (item: Item, screen) =>
          [
            screen.record({
              version: text(item.version),
              started: screen.ago(item.startedAt),
              database: text(item.database),
              http: text(item.http),
              agents: list(item.agents),
              stun: text(item.stun),
              relay: relayLine(item.relay as Item),
            }),
            '',
            screen.table(
              [
                { title: 'NETWORK', cell: ({ name }) => text(name) },
                { title: 'CIDRS', cell: ({ cidrs }) => list(cidrs), fit: 'cut' },
                { title: 'REVISION', cell: ({ revision }) => text(revision), fit: 'drop' },
                { title: 'CONNECTED', cell: ({ connected }) => text(connected) },
              ],
              item.networks as Item[],
            ),
            '',
            signalServerTable(item.signalServers as Item[], screen),
          ].join('\n'),
      })),
    );
}

const relayLine = ({ sessions, relayedBytes }: Item): string => `${sessions} agents, ${relayedBytes} bytes relayed`;
