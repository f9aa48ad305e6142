import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { type CommandContext, common, run } from './command.js';
import type { Screen } from './screen.js';
import { signalServerTable } from './signal-commands.js';

/** `warren status`: what the control plane is doing. */
export function statusCommands(program: Command, context: CommandContext): void {
  common(program.command('status'))
    .description('what the control plane is doing')
    .action(
      run(context, async (rest) => {
        const status = await take(rest.GET('/api/v1/status'));
        return { answer: status, text: (_, screen) => statusText(status, screen) };
      }),
    );
}

function statusText(status: Schemas['Status'], screen: Screen): string {
  const { version, startedAt, database, http, agents, stun, relay, networks, signalServers } = status;
  return [
    screen.record({
      version,
      started: screen.ago(startedAt),
      database,
      http,
      agents: agents.join(', '),
      stun,
      relay: `${relay.sessions} agents, ${relay.relayedBytes} bytes relayed`,
    }),
    '',
    screen.table(
      [
        { title: 'NETWORK', cell: ({ name }) => name },
        { title: 'CIDRS', cell: ({ cidrs }) => cidrs.join(', '), fit: 'cut' },
        { title: 'REVISION', cell: ({ revision }) => String(revision), fit: 'drop' },
        { title: 'CONNECTED', cell: ({ connected }) => String(connected) },
      ],
      networks,
    ),
    '',
    signalServerTable(signalServers, screen),
  ].join('\n');
}
