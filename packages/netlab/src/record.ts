import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WarrenError } from '@warren/base';
import { execute } from './command.js';
import { endProcessesIn, NETNS_DIR, processStartTime } from './processes.js';

/** What a world leaves on the machine, written before it makes the first thing, so that a later run can remove it. */
export interface WorldRecord {
  readonly pid: number;
  /** Clock ticks since boot, see `processStartTime`. */
  readonly startTime: string;
  /** Every namespace of the world is named `<prefix><host>`. */
  readonly prefix: string;
  /** The world's temporary directory. */
  readonly dir: string;
}

export const RECORD_DIR = '/run/warren-netlab';

const recordPath = (record: WorldRecord): string => join(RECORD_DIR, `${record.prefix}${record.pid}.json`);

/** Written whole or not at all: a killed run never leaves half a record. */
export function writeRecord(record: WorldRecord): void {
  const path = recordPath(record);
  for (;;) {
    mkdirSync(RECORD_DIR, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(`${path}.new`, JSON.stringify(record));
      renameSync(`${path}.new`, path);
      return;
    } catch (error) {
      // A world that closed between the two steps took the empty directory with it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Names of the namespaces that exist now and belong to the world. */
export function namespacesOf(record: WorldRecord): string[] {
  return listDirectory(NETNS_DIR).filter((name) => name.startsWith(record.prefix));
}

/**
 * Removes everything of a world: processes, namespaces (and with them their interfaces and rules), directory and, last,
 * its record. Doing it again, or halfway through, is fine.
 */
export async function removeWorld(record: WorldRecord, graceMs: number): Promise<void> {
  await endProcessesIn(namespacesOf(record), graceMs);
  await deleteNamespaces(record);
  rmSync(record.dir, { recursive: true, force: true });
  rmSync(recordPath(record), { force: true });
  removeIfEmpty(RECORD_DIR);
}

async function deleteNamespaces(record: WorldRecord): Promise<void> {
  const names = namespacesOf(record);
  if (names.length === 0) return;
  const { stderr } = await execute('ip', ['-force', '-batch', '-'], {
    input: names.map((n) => `netns del ${n}\n`).join(''),
  });
  // Another world that is just being made may have removed some of them at the same time.
  const left = namespacesOf(record);
  if (left.length > 0)
    throw new WarrenError('namespace-stays', `${left.join(', ')} cannot be removed: ${stderr.trim()}`);
}

/** Removes what runs have left that were killed before they could clean up; worlds of living processes stay. */
export async function removeLeftovers(): Promise<void> {
  for (const file of listDirectory(RECORD_DIR)) {
    if (file.endsWith('.new')) continue;
    const record = readRecord(join(RECORD_DIR, file));
    if (record && processStartTime(record.pid) !== record.startTime) await removeWorld(record, 0);
  }
}

function readRecord(path: string): WorldRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as WorldRecord;
  } catch (error) {
    // Its owner has just removed it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Another world has its record in it, or has removed it already.
  }
}
