import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { WarrenError } from '@warren/base';

/** What became of a program that ran to its end. `code` is null when a signal ended it. */
export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Milliseconds until the program is killed; 30 s unless said. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

/**
 * Runs a program to its end and collects what it printed.
 * @throws WarrenError `program-missing` when it is not installed, `command-timeout` when it had to be killed. A
 * program that fails is a result, not an error.
 */
export function execute(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: withSystemFolders(options.env ?? process.env),
      cwd: options.cwd,
      stdio: 'pipe',
    });
    const out = { stdout: '', stderr: '' };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      out.stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // EACCES: also when it is nowhere, and PATH names a folder that this user may not read.
      reject(error.code === 'ENOENT' || error.code === 'EACCES' ? programMissing(command) : error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const shown = `${command} ${args.join(' ')}`;
      if (timedOut)
        reject(new WarrenError('command-timeout', `${shown} took longer than ${timeoutMs} ms: ${out.stderr}`));
      else resolve({ code, signal, ...out });
    });
    // A program that ends without reading its input is no failure of ours: its result says what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** As `execute`. @throws WarrenError `command-failed` also when the program fails. */
export async function executeOrThrow(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await execute(command, args, options);
  if (result.code === 0) return result;
  const how = result.signal ?? `exit code ${result.code}`;
  const input = options.input ? `\n${options.input}` : '';
  throw new WarrenError('command-failed', `${command} ${args.join(' ')}: ${how}: ${result.stderr.trim()}${input}`);
}

/** `su` leaves a root without the folders in which `ip` and `nft` are. */
export function withSystemFolders(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folders = (env.PATH ?? '').split(delimiter);
  const missing = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].filter((folder) => !folders.includes(folder));
  return { ...env, PATH: [...folders, ...missing].join(delimiter) };
}

/** The error that says where to get a program. */
export function programMissing(command: string): WarrenError {
  const packages: Record<string, string> = {
    ip: 'iproute2',
    nft: 'nftables',
    ping: 'iputils-ping',
    conntrack: 'conntrack',
    tcpdump: 'tcpdump',
  };
  const install = packages[command] ?? 'util-linux';
  return new WarrenError('program-missing', `${command} is not installed: install it (Debian: apt install ${install})`);
}
