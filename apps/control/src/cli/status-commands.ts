import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { type Concern, concerns } from './attention.js';
import { type CommandContext, common, run } from './command.js';
import { everyPage, type RestClient } from './rest-client.js';
import type { Cell, Screen } from './screen.js';
import { signalServerTable } from './signal-commands.js';
import { bytesText } from './sizes.js';
import { durationText } from './times.js';

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
  const { version, startedAt, database, http, agents, stun, relay, networks, signalServers, health } = status;
  return [
    screen.record({
      version,
      started: screen.ago(startedAt),
      database,
      http,
      agents: agents.join(', '),
      stun,
      relay: `${relay.sessions} agents, ${bytesText(relay.relayedBytes)} relayed`,
      ...(health && healthRecord(health)),
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

/** Older control planes do not tell. */
function healthRecord(health: Schemas['Health']): Record<string, Cell> {
  const { databaseLatencyMs, memory, eventLoopDelayMs, eventStreams, telemetry, uptimeMs } = health;
  return {
    up: durationText(uptimeMs),
    'database answers':
      databaseLatencyMs === null ? { text: 'no', tone: 'bad' } : `in ${databaseLatencyMs.toFixed(1)} ms`,
    memory: `${bytesText(memory.rssBytes)}, heap ${bytesText(memory.heapUsedBytes)} of ${bytesText(memory.heapLimitBytes)}`,
    'event loop': `late by ${eventLoopDelayMs.mean} ms, at most ${eventLoopDelayMs.max} ms`,
    watching: `${eventStreams} streams of events, ${telemetry.links} links reported`,
  };
}
