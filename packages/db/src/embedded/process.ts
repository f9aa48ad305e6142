import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** "Fast" ends sessions and writes everything; "immediate" is what is left when that does not come to an end. */
const FAST = 'SIGINT';
const IMMEDIATE = 'SIGQUIT';
const FAST_TIMEOUT = 20_000;
/** A server that starts makes its pid file and fills it at once: one that stays empty is what a power cut left. */
const EMPTY_PID_FILE_TIMEOUT = 2_000;

/** Process id of the living server on this data directory; undefined when there is none. */
export function serverPid(directory: string): number | undefined {
  const pid = recordedPid(directory);
  return pid !== undefined && isServer(pid, directory) ? pid : undefined;
}

/**
 * Removes a `postmaster.pid` whose process id belongs to something else by now (after a reboot or in a container
 * PostgreSQL would take that process for a server and never start) or that was never filled. One whose process is
 * gone it replaces itself.
 */
export function dropStalePidFile(directory: string): void {
  const file = pidFile(directory);
  const pid = recordedPid(directory);
  if (pid === undefined ? !isLeftEmpty(file) : commandLine(pid) === '' || isServer(pid, directory)) return;
  rmSync(file, { force: true });
}

/** Ends a server that may not be our child and waits until it is gone. */
export async function stopServer(pid: number, directory: string): Promise<void> {
  signal(pid, FAST);
  if (await gone(pid, directory, FAST_TIMEOUT)) return;
  signal(pid, IMMEDIATE);
  await gone(pid, directory, FAST_TIMEOUT);
}

async function gone(pid: number, directory: string, timeout: number): Promise<boolean> {
  for (const deadline = Date.now() + timeout; Date.now() < deadline; await delay(10)) {
    if (!isServer(pid, directory)) return true;
  }
  return false;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const pidFile = (directory: string): string => join(directory, 'postmaster.pid');

function isLeftEmpty(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.size === 0 && Date.now() - found.mtimeMs > EMPTY_PID_FILE_TIMEOUT;
}

function recordedPid(directory: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(pidFile(directory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(text.split('\n')[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** Told by its command line, which other users may read too; a zombie has none. */
function isServer(pid: number, directory: string): boolean {
  const words = commandLine(pid);
  return words.includes(directory) && /\bpostgres\b/.test(words);
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // no such process
  }
}
