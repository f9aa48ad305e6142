import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WarrenError } from '@warren/base';

const POLL_INTERVAL = 20;

/** Waits until the process has gone (a zombie has). @throws WarrenError `daemon-stuck` after `limit` milliseconds. */
export async function waitForExit(pid: number, limit = 20_000): Promise<void> {
  const deadline = Date.now() + limit;
  while (await isAlive(pid)) {
    if (Date.now() > deadline) {
      throw new WarrenError(
        'daemon-stuck',
        `process ${pid} does not stop: look at its log, or end it with kill ${pid}`,
      );
    }
    await sleep(POLL_INTERVAL);
  }
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false; // no such process, or no /proc to ask
  }
}
