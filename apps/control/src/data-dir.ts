import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { WarrenError } from '@warren/base';

/** Longest path that fits a Unix socket address (`sun_path` of 108 bytes with its final zero). */
const LONGEST_SOCKET_PATH = 107;
const SEALING_KEY_LENGTH = 32;

/** Creates the data dir, or checks that it is a directory of ours; closed to everybody else. */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (error) {
    throw new WarrenError(
      'data-dir',
      `cannot use the data dir ${path}: ${(error as Error).message}; choose another with --data-dir`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The local socket's path, as short as it can be written from here.
 *
 * @throws WarrenError when it does not fit a socket address.
 */
export function socketPath(dataDir: string): string {
  const path = join(dataDir, 'control.sock');
  const short = relative(process.cwd(), path);
  const best = Buffer.byteLength(short) < Buffer.byteLength(path) ? short : path;
  if (Buffer.byteLength(best) > LONGEST_SOCKET_PATH) {
    throw new WarrenError(
      'data-dir',
      `the data dir's path is too long for a socket in it: ${dataDir}; choose a shorter --data-dir`,
    );
  }
  return best;
}

/** The key that seals secrets in the database: read, or made at the first start (0600). */
export async function sealingKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, 'sealing.key');
  const kept = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept) {
    if (kept.length === SEALING_KEY_LENGTH) return kept;
    throw new WarrenError(
      'data-dir',
      `${path} is damaged: it must hold ${SEALING_KEY_LENGTH} bytes; restore it from a backup`,
    );
  }
  const key = randomBytes(SEALING_KEY_LENGTH);
  // Complete or absent, whatever interrupts us: a half-written key would lock the certificate authority away.
  await writeFile(`${path}.new`, key, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return key;
}

/**
 * Takes the data dir for this process until `release`.
 *
 * @throws WarrenError when another living process holds it.
 */
export async function lockDataDir(dataDir: string, command = 'serve'): Promise<{ release(): Promise<void> }> {
  const path = join(dataDir, `${command}.lock`);
  const mine = `${process.pid} ${await startTime(process.pid)}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(mine);
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readFile(path, 'utf8').catch(() => '');
    if (await isAlive(holder)) {
      throw new WarrenError(
        'already-running',
        `another \`warren ${command}\` (process ${holder.split(' ')[0]}) runs on ${dataDir}: stop it, or choose another --data-dir`,
      );
    }
    await rm(path, { force: true });
  }
  throw new WarrenError('already-running', `another \`warren ${command}\` is just starting on ${dataDir}`);
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid, started] = holder.trim().split(' ');
  return Boolean(pid) && (await startTime(Number(pid))) === started && started !== 'gone';
}

/** When a process started (field 22 of proc_pid_stat(5)), so that a reused process id is not taken for its predecessor. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  try {
    process.kill(pid, 0);
    return 'unknown'; // a system without /proc
  } catch {
    return 'gone';
  }
}
