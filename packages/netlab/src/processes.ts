import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where `ip netns` keeps the names of namespaces. */
export const NETNS_DIR = '/run/netns';

/**
 * When the process began, in clock ticks since boot: with the pid it names a process for ever, a pid alone may come
 * back. @returns undefined when there is no such process, or when it has ended and only waits to be reaped.
 */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold spaces and brackets itself (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Pids of every process that lives in one of the named network namespaces, whoever started it. */
export function processesIn(namespaces: readonly string[]): number[] {
  const links = new Set<string>();
  for (const name of namespaces) {
    try {
      links.add(`net:[${statSync(join(NETNS_DIR, name)).ino}]`);
    } catch {
      // The namespace has gone, and a process cannot be found by its name any more.
    }
  }
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => links.has(namespaceOf(pid)) && processStartTime(pid) !== undefined);
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends everything that lives in the namespaces: SIGTERM, SIGKILL to what is left after `graceMs`, and waits until
 * nothing is. @throws Error when a process does not even end by SIGKILL within 5 s.
 */
export async function endProcessesIn(namespaces: readonly string[], graceMs: number): Promise<void> {
  const asked = new Set<number>();
  const killAt = Date.now() + graceMs;
  const giveUpAt = killAt + 5_000;
  for (;;) {
    const pids = processesIn(namespaces);
    if (pids.length === 0) return;
    if (Date.now() > giveUpAt) throw new Error(`processes ${pids.join(', ')} do not end`);
    for (const pid of pids) {
      if (Date.now() >= killAt) signalProcess(pid, 'SIGKILL');
      else if (!asked.has(pid)) signalProcess(pid, 'SIGTERM');
      asked.add(pid);
    }
    await delay(10);
  }
}
