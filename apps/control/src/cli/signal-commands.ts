import type { Command } from 'commander';
import { type Environment, readSignalConfig, SIGNAL_SETTINGS, type SignalConfig } from '../config.js';
import { duration } from './arguments.js';
import { all, type CommandContext, common, type Item, list, part, run, text } from './command.js';
import { table } from './output.js';

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
    signal.option(`--${flag} <value>`, `${meaning} (${variable}${shown})`);
  }
  signal.action(async (flags: Record<string, string>) => {
    done(await options.signal(readSignalConfig(flags, options.environment)));
  });
  tokenCommands(signal, context);
  common(signal.command('list'))
    .description('signal servers that agents are told of, bounces left out')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/signal-servers?'),
        text: ({ items }: { items: Item[] }) => signalServerTable(items),
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
  common(signal.command('tokens'))
    .description('all tokens for signal servers, without their secrets')
    .action(
      run(context, async (rest) => ({
        answer: await all(rest, '/signal-tokens?'),
        text: ({ items }: { items: Item[] }) =>
          table(
            ['ID', 'REGION', 'EXPIRES', 'STATE'],
            items.map((item) => [text(item.id), text(item.region), text(item.expiresAt ?? 'never'), tokenState(item)]),
          ),
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
export const signalServerTable = (items: readonly Item[]): string =>
  table(
    ['SIGNAL SERVER', 'REGION', 'KIND', 'UDP', 'TLS', 'SEEN'],
    items.map((item) => [
      ...[text(item.id), text(item.region), text(item.kind), text(item.udp ?? '-')],
      ...[list(item.tls) || '-', text(item.seenAt)],
    ]),
  );

function tokenState(item: Item): string {
  if (item.revokedAt) return 'revoked';
  if (item.used) return 'used';
  return item.expiresAt && Date.parse(text(item.expiresAt)) <= Date.now() ? 'expired' : 'usable';
}
