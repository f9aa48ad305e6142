import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { type Environment, readSignalConfig, SIGNAL_SETTINGS, type SignalConfig } from '../config.js';
import { expiryCell } from './apikey-commands.js';
import { duration } from './arguments.js';
import { byId, type CommandContext, common, listing, orNull, run } from './command.js';
import { shown } from './fields.js';
import type { Column, Screen } from './screen.js';
import { bytesText } from './sizes.js';

export interface SignalCommandOptions {
  readonly environment: Environment;
  /** Runs until stopped; gives the exit code. */
  signal(config: SignalConfig): Promise<number>;
}

/** `warren signal` itself runs the signalling service alone; beneath it is what the control plane knows of such. */
export function signalCommands(
  program: Command,
  context: CommandContext,
  options: SignalCommandOptions,
  done: (code: number) => void,
): void {
  // Positional, because `token` and the others have a --data-dir of their own, of the control plane.
  const signal = program.command('signal').enablePositionalOptions().description('run the signalling service alone');
  for (const [flag, variable, fallback, meaning] of SIGNAL_SETTINGS) {
    const shown = fallback === undefined ? '' : `, default ${fallback}`;
    signal.option(`--${flag} <${flag === 'data-dir' ? 'directory' : 'value'}>`, `${meaning} (${variable}${shown})`);
  }
  signal.action(async (flags: Record<string, string>) => {
    done(await options.signal(readSignalConfig(flags, options.environment)));
  });
  tokenCommands(signal, context);
  listing(signal.command('list').alias('ls'))
    .description('signal servers that agents are told of, bounces left out')
    .action(
      run(context, async (rest) => {
        const answer = await take(rest.GET('/api/v1/signal-servers'));
        return { answer, text: (screen) => signalServerTable(answer.items, screen) };
      }),
    );
  common(signal.command('show').argument('<id>'))
    .description('one signal server')
    .action(run(context, async (rest, [id]) => shown(await take(rest.GET('/api/v1/signal-servers/{id}', byId(id))))));
  common(signal.command('delete').alias('rm').argument('<id>'))
    .description('tell agents no more of a signal server, and let it renew no more')
    .action(
      run(context, async (rest, [id]) => {
        await take(rest.DELETE('/api/v1/signal-servers/{id}', byId(id)));
        return { answer: { deleted: id }, text: () => `deleted ${id}` };
      }),
    );
}

function tokenCommands(signal: Command, context: CommandContext): void {
  common(signal.command('token'))
    .description('make a token for one `warren signal` on another machine; prints it alone')
    .requiredOption('--region <name>', 'where that machine is, for people')
    .option('--expires <duration>', 'such as 30m, 1h, 7d, or never', duration, '1h')
    .action(
      run(context, async (rest, _, { region, expires }: { region: string; expires: string }) => {
        const body = { region, expires: orNull(expires) };
        const made = await take(rest.POST('/api/v1/signal-tokens', { body }));
        return { answer: made, text: () => made.token };
      }),
    );
  listing(signal.command('tokens'))
    .description('all tokens for signal servers, without their secrets')
    .action(
      run(context, async (rest) => {
        const answer = await take(rest.GET('/api/v1/signal-tokens'));
        return {
          answer,
          text: (screen) => screen.table(tokenColumns(screen), answer.items),
          none: 'no such tokens: make one with `warren signal token --region NAME`',
        };
      }),
    );
  common(signal.command('revoke').argument('<id>'))
    .description('end a token for a signal server')
    .action(
      run(context, async (rest, [id]) => {
        await take(rest.DELETE('/api/v1/signal-tokens/{id}', byId(id)));
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

/** As `warren signal list` and `warren status` show them. */
export const signalServerTable = (items: readonly Schemas['SignalServer'][], screen: Screen): string =>
  screen.table(
    [
      { title: 'SIGNAL SERVER', cell: ({ id }) => id },
      { title: 'REGION', cell: ({ region }) => region, fit: 'cut' },
      { title: 'KIND', cell: ({ kind }) => kind, fit: 'drop' },
      { title: 'UDP', cell: ({ udp }) => udp ?? '-' },
      { title: 'TLS', cell: ({ tls }) => tls.join(', ') || '-', fit: 'cut' },
      { title: 'LOAD', cell: loadCell },
      { title: 'SEEN', cell: ({ seenAt }) => screen.ago(seenAt) },
    ],
    items,
  );

/** Older control planes do not tell. */
function loadCell({ load }: Schemas['SignalServer']): string {
  if (!load) return '-';
  return `${load.clients} agents${load.relayedRate > 0 ? `, ${bytesText(load.relayedRate)}/s` : ''}`;
}

const tokenColumns = (screen: Screen): Column<Schemas['SignalToken']>[] => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'REGION', cell: ({ region }) => region, fit: 'cut' },
  { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
  { title: 'STATE', cell: (item) => tokenState(item, screen.now) },
];

function tokenState({ revokedAt, used, expiresAt }: Schemas['SignalToken'], now: number): string {
  if (revokedAt) return 'revoked';
  if (used) return 'used';
  return expiresAt && Date.parse(expiresAt) <= now ? 'expired' : 'usable';
}
