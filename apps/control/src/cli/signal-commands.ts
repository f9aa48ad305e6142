import type { Command } from 'commander';
import { type Environment, readSignalConfig, SIGNAL_SETTINGS, type SignalConfig } from '../config.js';
import { expiryCell } from './apikey-commands.js';
import { duration } from './arguments.js';
import { all, type CommandContext, common, type Item, list, listing, part, run, text } from './command.js';
import type { Screen } from './screen.js';

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
      run(context, async (rest) => ({
        answer: await all(rest, '/signal-servers?'),
        text: ({ items }: { items: Item[] }, screen) => signalServerTable(items, screen),
      })),
    );
  common(signal.command('delete').argument('<id>'))
    .description('tell agents no more of a signal server, and let it renew no more')
    .action(
      run(context, async (rest, [id]) => {
        await rest.call('DELETE', `/signal-servers/${part(id)}`);
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
      run(context, async (rest, _, { region, expires }) => ({
        answer: await rest.call('POST', '/signal-tokens', { region, expires: expires === 'never' ? null : expires }),
        text: (item: Item) => text(item.token),
      })),
    );
  listing(signal.command('tokens'))
    .description('all tokens for signal servers, without their secrets')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/signal-tokens?'),
        text: ({ items }: { items: Item[] }, screen) =>
          screen.table(
            [
              { title: 'ID', cell: ({ id }) => text(id) },
              { title: 'REGION', cell: ({ region }) => text(region), fit: 'cut' },
              { title: 'EXPIRES', cell: ({ expiresAt }) => expiryCell(expiresAt, screen) },
              { title: 'STATE', cell: (item) => tokenState(item, screen.now) },
            ],
            items,
          ),
        none: 'no such tokens: make one with `warren signal token --region NAME`',
      })),
    );
  common(signal.command('revoke').argument('<id>'))
    .description('end a token for a signal server')
    .action(
      run(context, async (rest, [id]) => {
        await rest.call('DELETE', `/signal-tokens/${part(id)}`);
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

/** As `warren signal list` and `warren status` show them. */
export const signalServerTable = (items: readonly Item[], screen: Screen): string =>
  screen.table(
    [
      { title: 'SIGNAL SERVER', cell: ({ id }) => text(id) },
      { title: 'REGION', cell: ({ region }) => text(region), fit: 'cut' },
      { title: 'KIND', cell: ({ kind }) => text(kind), fit: 'drop' },
      { title: 'UDP', cell: ({ udp }) => text(udp ?? '-') },
      { title: 'TLS', cell: ({ tls }) => list(tls) || '-', fit: 'cut' },
      { title: 'SEEN', cell: ({ seenAt }) => screen.ago(seenAt) },
    ],
    items,
  );

function tokenState(item: Item, now: number): string {
  if (item.revokedAt) return 'revoked';
  if (item.used) return 'used';
  return item.expiresAt && Date.parse(text(item.expiresAt)) <= now ? 'expired' : 'usable';
}
