import { type HostPort, parseHostPort, WarrenError } from '@warren/base';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './commands/context.js';
import type { Config } from './config.js';
import { describeError, type ExitCode, exitCodeOf } from './errors.js';
import { addExamples } from './help.js';
import type { HostRequirements } from './host/requirements.js';
import { createOutput, reportError, type Streams } from './output.js';
import { VERSION } from './version.js';

export interface CliOptions {
  readonly config: Config;
  readonly streams: Streams;
  readonly host: HostRequirements;
}

/** Options that every command has. */
interface CommonOptions {
  readonly json?: boolean;
  readonly stateDir?: string;
  readonly network?: string;
}

/** Both words, so that what was switched off can be switched on again; it is kept with the network. */
const PREDICT = ['--port-prediction', 'guess ports of NATs where nothing else leads through (default)'] as const;
const NOT_PREDICT = ['--no-port-prediction', 'never guess ports of NATs'] as const;

/** Runs one command line; each command's code is loaded when it is asked for. Never throws. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<ExitCode> {
  const { streams } = options;
  const outcome: { code: ExitCode } = { code: 0 };
  const said: string[] = [];
  const program = buildProgram(options, outcome);
  addExamples(program);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => said.push(text),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, args, said, streams);
    return reportError(error, args.includes('--json'), streams);
  }
}

function reportUsage(error: CommanderError, args: readonly string[], said: string[], streams: Streams): ExitCode {
  if (error.exitCode === 0) return 0; // --help, --version
  if (error.code === 'commander.help') {
    streams.err(said.join(''));
    return 2;
  }
  const { message } = describeError(new WarrenError('usage', error.message.replace(/^error: /, '')));
  const command = error.code === 'commander.unknownCommand' ? undefined : args.find((arg) => !arg.startsWith('-'));
  streams.err(`agent: ${message.replace(/\.$/, '')}; see agent ${command ? `${command} ` : ''}--help\n`);
  if (args.includes('--json')) streams.out(`${JSON.stringify({ error: { code: 'usage', message } })}\n`);
  return 2;
}

function buildProgram(options: CliOptions, outcome: { code: ExitCode }): Command {
  const program = new Command('agent')
    .description('Joins this host to a Warren network and keeps it there.')
    .version(`agent ${VERSION}`)
    .helpCommand('help [command]', 'explain a command');
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--json', 'write JSON to stdout')
      .option('--state-dir <dir>', 'where state is kept (default: /var/lib/warren)');
  const addWithNetwork = (name: string, description: string): Command =>
    add(name, description).option('--network <name>', 'which network, when this host has joined several');
  const run =
    <T extends CommonOptions>(action: (context: CommandContext, opts: T, args: string[]) => Promise<ExitCode>) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1) as Command;
      const opts = command.opts<T>();
      const context = contextOf(options, opts);
      try {
        outcome.code = await action(context, opts, command.args);
      } catch (error) {
        outcome.code = reportError(error, context.output.json, options.streams);
        // Whoever changed the table of exit codes must have changed both.
        if (outcome.code !== exitCodeOf(error)) outcome.code = 1;
      }
    };

  addJoin(add('join', 'join the network that a token names, and go up'), run);
  addWithNetwork('up', 'start the daemon from saved state')
    .option('--foreground', 'stay in the foreground also where systemd runs')
    .option(...PREDICT)
    .option(...NOT_PREDICT)
    .action(
      run<CommonOptions & { foreground?: boolean; portPrediction?: boolean }>(async (context, opts) =>
        (await import('./commands/up.js')).upCommand(context, {
          foreground: opts.foreground ?? false,
          ...(opts.portPrediction !== undefined && { portPrediction: opts.portPrediction }),
        }),
      ),
    );
  addWithNetwork('status', 'what this node is and whom it reaches').action(
    run(async (context) => (await import('./commands/status.js')).statusCommand(context)),
  );
  addWithNetwork('peers', 'the other nodes and the paths to them').action(
    run(async (context) => (await import('./commands/peers.js')).peersCommand(context)),
  );
  addWithNetwork('ping', 'echo requests to a node, through the network')
    .argument('<node>', 'name or address')
    .addOption(new Option('-c, --count <n>', 'how many').argParser(integer(1, 10_000)).default(4))
    .action(
      run<CommonOptions & { count: number }>(async (context, { count }, [node]) =>
        (await import('./commands/ping.js')).pingCommand(context, node!, { count }),
      ),
    );
  addWithNetwork('explain', 'why the path to a node is what it is')
    .argument('<node>', 'name or address')
    .action(run(async (context, _, [node]) => (await import('./commands/explain.js')).explainCommand(context, node!)));
  addWithNetwork('netcheck', 'what this network lets through: UDP, NAT, IPv6, signal servers').action(
    run(async (context) => (await import('./commands/netcheck.js')).netcheckCommand(context)),
  );
  addWithNetwork('conf', 'this node as a wg-quick file')
    .option('--private', 'with the private key')
    .action(
      run<CommonOptions & { private?: boolean }>(async (context, opts) =>
        (await import('./commands/conf.js')).confCommand(context, { private: opts.private ?? false }),
      ),
    );
  addWithNetwork('rotate-key', 'change the WireGuard key; no packet is lost between agents')
    .option('--compromised', 'the key in use is in wrong hands: nobody accepts it any more, from now on')
    .action(
      run<CommonOptions & { compromised?: boolean }>(async (context, opts) =>
        (await import('./commands/rotate-key.js')).rotateKeyCommand(context, {
          compromised: opts.compromised ?? false,
        }),
      ),
    );
  addWithNetwork('down', 'stop the daemon and take down what it put up').action(
    run(async (context) => (await import('./commands/down.js')).downCommand(context)),
  );
  addWithNetwork('leave', 'leave the network for good and remove its keys')
    .option('--force', 'also when the control plane cannot be told')
    .action(
      run<CommonOptions & { force?: boolean }>(async (context, opts) =>
        (await import('./commands/leave.js')).leaveCommand(context, { force: opts.force ?? false }),
      ),
    );
  addWg(program, run);
  add('version', 'the version of this program').action(
    run(async (context) => (await import('./commands/version.js')).versionCommand(context)),
  );
  return program;
}

type Run = <T extends CommonOptions>(
  action: (context: CommandContext, opts: T, args: string[]) => Promise<ExitCode>,
) => (...given: unknown[]) => Promise<void>;

function addWg(program: Command, run: Run): void {
  program
    .command('wg')
    .description('run a WireGuard interface alone, as `wireguard-go` does; `wg` and `wg-quick` drive it')
    .argument('<interface>', 'name of the interface to make')
    .option('-f, --foreground', 'stay in the foreground')
    .action(
      run<CommonOptions & { foreground?: boolean }>(async (context, opts, [name]) =>
        (await import('./commands/wg.js')).wgCommand(context, name!, {
          foreground: opts.foreground ?? false,
        }),
      ),
    );
}

interface JoinFlags extends CommonOptions {
  readonly token: string;
  readonly name?: string;
  readonly role?: 'client' | 'direct' | 'bounce';
  readonly endpoint?: HostPort;
  readonly listenPort?: number;
  readonly interface?: string;
  readonly takeOver?: string;
  readonly mtu?: number;
  readonly control?: HostPort;
  readonly portPrediction?: boolean;
  readonly allowLanClash?: boolean;
  readonly foreground?: boolean;
  readonly start: boolean;
}

function addJoin(command: Command, run: Run): void {
  command
    .requiredOption('--token <token>', 'what `warren token create` printed')
    .addOption(new Option('--name <name>', 'name of this node (default: the host name)').argParser(nodeName))
    .addOption(
      new Option('--role <role>', 'direct: others can reach it; bounce: that, and it relays; client: neither').choices([
        'client',
        'direct',
        'bounce',
      ]),
    )
    .addOption(new Option('--endpoint <host:port>', 'how others reach a direct or bounce node').argParser(hostPort))
    .addOption(new Option('--listen-port <port>', 'UDP port, 0 for any (default: 51820)').argParser(integer(0, 65_535)))
    .addOption(new Option('--interface <name>', 'name of the interface (default: wg0)').argParser(interfaceName))
    .addOption(
      new Option('--mtu <bytes>', "MTU of the interface (default: the network's)").argParser(integer(1280, 9000)),
    )
    .option(
      '--take-over <file>',
      'go on as the vanilla member of this wg-quick file: its key, name, role and addresses',
    )
    .addOption(new Option('--control <host:port>', "instead of the token's addresses").argParser(hostPort))
    .option(...PREDICT)
    .option(...NOT_PREDICT)
    .option('--allow-lan-clash', 'also when the network overlaps a LAN of this host')
    .option('--foreground', 'stay in the foreground also where systemd runs')
    .option('--no-start', 'join only')
    .action(
      run<JoinFlags>(async (context, opts) =>
        (await import('./commands/join.js')).joinCommand(context, {
          token: opts.token,
          name: opts.name,
          role: opts.role,
          endpoint: opts.endpoint,
          listenPort: opts.listenPort,
          interfaceName: opts.interface,
          ...(opts.takeOver !== undefined && { takeOver: opts.takeOver }),
          mtu: opts.mtu,
          control: opts.control,
          portPrediction: opts.portPrediction,
          allowLanClash: opts.allowLanClash ?? false,
          foreground: opts.foreground ?? false,
          start: opts.start,
        }),
      ),
    );
}

function contextOf({ config, streams, host }: CliOptions, opts: CommonOptions): CommandContext {
  return {
    config,
    streams,
    host,
    output: createOutput(opts.json ?? false, streams),
    stateDir: opts.stateDir ?? config.stateDir,
    network: opts.network,
  };
}

const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };

function hostPort(text: string): HostPort {
  if (parseHostPort(text)) return text as HostPort;
  throw new InvalidArgumentError('It must be host:port, an IPv6 address in brackets.');
}

/** RFC 1035 §2.3.1 as relaxed by RFC 1123 §2.1: names become host names. */
function nodeName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 63 lower-case letters, digits and hyphens, none first or last.');
}

/** What Linux takes, less what its tools would misread. */
function interfaceName(text: string): string {
  if (/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 15 letters, digits, points, hyphens and underscores, a letter first.',
  );
}
