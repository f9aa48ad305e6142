import { spawn } from 'node:child_process';
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs';
import { WarrenError } from '@warren/base';

/** Longest that the daemon may take until its socket answers, milliseconds. */
const START_TIMEOUT = 20_000;

/** What the daemon tells the process that started it, once. */
export type StartReport =
  | { readonly ready: true }
  | { readonly ready: false; readonly code: string; readonly message: string };

/**
 * Starts this program once more in a session of its own and waits until it is ready. It holds nothing of ours: no working
 * directory, no pipe; of the standard streams only a stderr that is a terminal or a file, and only where `keepStderr`.
 * @throws WarrenError what the daemon reported.
 */
export function daemonise(argsOf: (inherited: string) => readonly string[], keepStderr: boolean): Promise<void> {
  const stderr = keepStderr && isLasting(2) ? 'inherit' : 'ignore';
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1]!, ...argsOf(inheritedDescriptors().join(','))],
    {
      cwd: '/',
      detached: true,
      // One heap of the C library for all threads instead of one for each: 6 MiB less, and packets allocate nothing there.
      env: { MALLOC_ARENA_MAX: '1', ...process.env },
      stdio: ['ignore', 'ignore', stderr, 'ipc'],
    },
  );
  return new Promise((resolve, reject) => {
    const finish = (error?: WarrenError): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => {
      child.kill();
      finish(new WarrenError('daemon-stuck', `the daemon was not ready after ${START_TIMEOUT / 1_000} seconds`));
    }, START_TIMEOUT);
    child.once('message', (report: StartReport) =>
      finish(report.ready ? undefined : new WarrenError(report.code, report.message)),
    );
    child.once('error', (error) =>
      finish(new WarrenError('daemon-failed', `the daemon did not start: ${error.message}`, { cause: error })),
    );
    child.once('exit', (code, signal) =>
      finish(
        new WarrenError(
          'daemon-failed',
          `the daemon ended with ${signal ?? code}; run it with --foreground to see why`,
        ),
      ),
    );
  });
}

/** In the daemon: closes what it inherited beside the standard streams, a list as `daemonise` passed it. */
export function closeInherited(descriptors: string): void {
  for (const fd of descriptors.split(',').filter((text) => /^\d+$/.test(text))) {
    try {
      closeSync(Number(fd));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error; // closed already: what we want
    }
  }
}

/** In the daemon: reports to the process that started it and lets go of it. */
export function reportStart(report: StartReport): void {
  process.send?.(report, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
}

/** Descriptors above the standard streams that a program started from here would get: Node marks its own as not for children. */
function inheritedDescriptors(): number[] {
  const CLOSE_ON_EXEC = 0o2000000;
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
        return fd > 2 && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
      } catch {
        return false; // the listing's own, gone by now
      }
    });
}

/** A pipe or socket has a reader that may wait for its end; a terminal or a file does not mind. */
function isLasting(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() || stat.isFile();
  } catch {
    return false; // closed
  }
}
