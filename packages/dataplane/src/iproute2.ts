import { execFile } from 'node:child_process';
import { WarrenError } from '@warren/base';

/** What one command of a batch ran into. */
export interface CommandProblem {
  readonly command: readonly string[];
  /** iproute2's own words, e.g. `RTNETLINK answers: File exists`. */
  readonly message: string;
}

/** Tries all commands even if some fail. One process for all, since each costs some milliseconds. */
export type RunBatch = (commands: readonly (readonly string[])[]) => Promise<CommandProblem[]>;

/** Longest that the kernel may take to change an interface, milliseconds. */
const TIMEOUT = 20_000;

/**
 * Runs `ip -force -batch -`. Arguments must hold no white space or quotes: all of them are checked names, addresses and prefixes.
 * @throws WarrenError `iproute2-missing`, `iproute2-failed` when `ip` itself does not run.
 */
export const runIpBatch: RunBatch = async (commands) => {
  if (commands.length === 0) return [];
  const input = `${commands.map((command) => command.join(' ')).join('\n')}\n`;
  const { code, stderr } = await runIp(['-force', '-batch', '-'], input);
  if (code === 0) return [];
  const problems = parseBatchErrors(stderr, commands);
  if (problems.length === 0) {
    throw new WarrenError('iproute2-failed', `ip -batch ended with ${code}: ${stderr.trim() || 'it gave no reason'}`);
  }
  return problems;
};

/** Splits what `ip -force -batch` says: lines of complaint, each block closed by `Command failed -:LINE`. */
export function parseBatchErrors(stderr: string, commands: readonly (readonly string[])[]): CommandProblem[] {
  const problems: CommandProblem[] = [];
  let complaint: string[] = [];
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed -:(\d+)/.exec(line);
    if (!failed) {
      if (line.trim() !== '') complaint.push(line.trim());
      continue;
    }
    problems.push({ command: commands[Number(failed[1]) - 1] ?? [], message: complaint.join(' ') });
    complaint = [];
  }
  return problems;
}

function runIp(args: readonly string[], input: string): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile('ip', args, { timeout: TIMEOUT, maxBuffer: 64 << 20 }, (error, _stdout, stderr) => {
      const code = error?.code;
      if (code === 'ENOENT') reject(missing());
      else if (error && typeof code !== 'number') {
        reject(new WarrenError('iproute2-failed', `ip did not finish: ${error.message}`, { cause: error }));
      } else resolve({ code: typeof code === 'number' ? code : 0, stderr });
    });
    // A pipe that `ip` closed early: its exit code says why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

const missing = (): WarrenError =>
  new WarrenError('iproute2-missing', 'the command `ip` is missing: install iproute2 (Debian: `apt install iproute2`)');
