import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { type Concern, concerns } from './attention.js';
import { type CommandContext, common, run } from './command.js';
import { everyPage, type RestClient } from './rest-client.js';
import type { Screen } from './screen.js';
import { signalServerTable } from './signal-commands.js';

const KIB = 1024;

/** `warren status`: what the control plane is doing, and what needs attention. */
export function statusCommands(program: Command, context: CommandContext): void {
  common(program.command('status'))
    .description('what the control plane is doing, and what needs attention')
    .action(
      run(context, async (rest, _, { json }: { json?: boolean }) => {
        const status = await take(rest.GET('/api/v1/status'));
        const found = json ? [] : await lookAround(rest, context.screen);
        return { answer: status, text: (screen) => statusText(status, found, screen) };
      }),
    );
}

/** Whoever may read the status need not be allowed to read all the rest. */
async function lookAround(rest: RestClient, screen: Screen): Promise<Concern[]> {
  const [nodes, keys] = await Promise.allSettled([
    everyPage((query) => rest.GET('/api/v1/nodes', { params: { query } })),
    everyPage((query) => rest.GET('/api/v1/apikeys', { params: { query } })),
  ]);
  const itemsOf = <T>(list: PromiseSettledResult<{ items: T[] }>): T[] =>
    list.status === 'fulfilled' ? list.value.items : [];
  const unread = [nodes.status === 'rejected' ? 'nodes' : '', keys.status === 'rejected' ? 'API keys' : ''];
  const missing = unread.filter(Boolean).join(' and ');
  return [
    ...concerns(itemsOf(nodes), itemsOf(keys), screen),
    ...(missing ? [{ tone: 'dim', text: `not looked at: ${missing}, which this API key may not read` } as const] : []),
  ];
}

function statusText(status: Schemas['Status'], found: readonly Concern[], screen: Screen): string {
  const { version, startedAt, database, http, agents, stun, relay, networks, signalServers } = status;
  return [
    screen.record({
      version,
      started: screen.ago(startedAt),
      database,
      http,
      agents: agents.join(', '),
      stun,
      relay: `${relay.sessions} agents, ${bytesText(relay.relayedBytes)} relayed`,
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
    '',
    ...(found.some(({ tone }) => tone !== 'dim')
      ? ['Needs attention:']
      : [screen.tone('nothing needs attention', 'good')]),
    ...found.map(({ tone, text }) => screen.tone(`  ${text}`, tone)),
  ].join('\n');
}

function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  for (let left = bytes; left >= KIB && power < units.length - 1; left /= KIB) power++;
  return `${power === 0 ? bytes : (bytes / KIB ** power).toFixed(1)} ${units[power]}`;
}
