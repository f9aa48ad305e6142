import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toHex, WarrenError } from '@warren/base';
import type { Binaries } from './binaries.js';
import { chooseRunner, type Isolation, type Runner } from './unprivileged.js';

/** A database cluster on disk, ready to be started. */
export interface Cluster {
  /** PostgreSQL's data directory, canonical. */
  readonly directory: string;
  /** Holds the data directory, the server's log and mostly the socket. */
  readonly home: string;
  readonly password: string;
  readonly runner: Runner;
}

/** Data directories of different major versions cannot be mixed. */
const MAJOR = '18';
/** Inside the data directory, so that cluster and password come into being, move and go together. */
const PASSWORD_FILE = 'warren-password';
/** What an unfinished initdb leaves. */
const UNFINISHED = `${MAJOR}.new-`;
/** `sun_path` has 108 bytes on Linux, 104 on macOS, the final zero included. */
const MAX_SOCKET_PATH = 103;
const SOCKET_NAME = '.s.PGSQL.5432';
/** Names the socket's directory when the data dir's own path is too long for one. */
const SOCKET_DIRECTORY_FILE = 'socket-directory';

/**
 * Opens the cluster below `dataDir`, making it (initdb, random password) the first time.
 * @throws WarrenError `data-dir-unusable`, `data-dir-foreign`, `embedded-init-failed` or `embedded-password-missing`.
 */
export async function openCluster(dataDir: string, binaries: Binaries, isolation?: Isolation): Promise<Cluster> {
  const home = makeHome(dataDir);
  const directory = join(home, MAJOR);
  const owner = existsSync(directory) ? statSync(directory).uid : undefined;
  const runner = chooseRunner(owner, isolation);
  if (runner.uid !== undefined) giveAway(home, runner.uid);
  if (!existsSync(directory)) await initialize(home, directory, binaries, runner);
  return { directory, home, password: readPassword(directory), runner };
}

/** The directory of the unix socket: the cluster's home, or a short one in /tmp that is remembered. */
export function socketDirectory({ home, runner }: Cluster): string {
  if (Buffer.byteLength(join(home, SOCKET_NAME)) <= MAX_SOCKET_PATH) return home;
  const note = join(home, SOCKET_DIRECTORY_FILE);
  const before = existsSync(note) ? readFileSync(note, 'utf8') : undefined;
  if (before && isClosedDirectory(before, runner)) return before;
  // mkdtemp makes it 0700 and new: nobody else can have put a socket there.
  const made = mkdtempSync('/tmp/warren-postgres-');
  if (runner.uid !== undefined) chownSync(made, runner.uid, runner.uid);
  writeFileSync(note, made, { mode: 0o600 });
  return made;
}

/** Removes the short socket directory of a server that has stopped. */
export function dropSocketDirectory({ home }: Cluster): void {
  const note = join(home, SOCKET_DIRECTORY_FILE);
  if (!existsSync(note)) return;
  rmSync(readFileSync(note, 'utf8'), { recursive: true, force: true });
  rmSync(note, { force: true });
}

function isClosedDirectory(path: string, runner: Runner): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return false;
  return (found.mode & 0o077) === 0 && found.uid === (runner.uid ?? process.getuid?.());
}

function makeHome(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const home = join(realpathSync(dataDir), 'postgres');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    return home;
  } catch (error) {
    const text = `the data dir ${dataDir} cannot be used (${(error as Error).message}): choose another with --data-dir`;
    throw new WarrenError('data-dir-unusable', text, { cause: error });
  }
}

async function initialize(home: string, directory: string, binaries: Binaries, runner: Runner): Promise<void> {
  const password = toHex(randomBytes(32));
  const fresh = join(home, `${UNFINISHED}${toHex(randomBytes(6))}`);
  const passwordFile = `${fresh}.password`;
  writeOwned(passwordFile, password, runner);
  try {
    const options = ['-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--data-checksums'];
    const { command, args, ...identity } = runner.wrap(binaries.initdb, [
      ...['-D', fresh, `--pwfile=${passwordFile}`],
      ...options,
    ]);
    await promisify(execFile)(command, args, { ...identity, cwd: home });
    writeOwned(join(fresh, PASSWORD_FILE), password, runner);
    publish(fresh, directory);
  } catch (error) {
    if (existsSync(directory)) return; // another process was faster and has swept ours away
    const { stderr, message } = error as { stderr?: string; message: string };
    const why = (stderr?.trim() || message).split('\n').at(-1);
    const text = `the embedded database could not be made in ${home}: ${why}`;
    throw new WarrenError('embedded-init-failed', text, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
  dropUnfinished(home);
}

/** The rename makes a whole cluster appear at once; when another process was faster, its cluster is as good. */
function publish(fresh: string, directory: string): void {
  try {
    renameSync(fresh, directory);
    // Without this a power cut could undo the rename and lose what was committed since.
    const home = openSync(dirname(directory), 'r');
    fsyncSync(home);
    closeSync(home);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/** Leftovers of an initdb that was killed, or lost the race for the name. */
function dropUnfinished(home: string): void {
  for (const name of readdirSync(home)) {
    if (!name.startsWith(UNFINISHED)) continue;
    try {
      rmSync(join(home, name), { recursive: true, force: true });
    } catch (error) {
      // An initdb that still runs made a file while we removed: it fails for that, and its owner sweeps.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  }
}

function readPassword(directory: string): string {
  try {
    return readFileSync(join(directory, PASSWORD_FILE), 'utf8').trim();
  } catch (error) {
    const text = `${join(directory, PASSWORD_FILE)} cannot be read (${(error as Error).message}): restore it, or the whole data dir from a backup`;
    throw new WarrenError('embedded-password-missing', text, { cause: error });
  }
}

function writeOwned(file: string, text: string, runner: Runner): void {
  writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true });
  if (runner.uid !== undefined) chownSync(file, runner.uid, runner.uid);
}

/** PostgreSQL insists on owning its data directory: a cluster of root's moves to the user that it will run as. */
function giveAway(path: string, uid: number): void {
  const found = lstatSync(path);
  if (found.uid !== uid) lchownSync(path, uid, uid);
  if (!found.isDirectory()) return;
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
  for (const name of readdirSync(path)) giveAway(join(path, name), uid);
}
