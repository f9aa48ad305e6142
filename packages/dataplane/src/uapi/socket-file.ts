import { chmod, link, lstat, mkdir, stat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { dirname } from 'node:path';
import { WarrenError } from '@warren/base';

/** Where WireGuard's tools look for the sockets of userspace implementations. */
export const UAPI_DIRECTORY = '/var/run/wireguard';

/** Longest path of a unix socket on Linux (unix(7)), less its final zero. */
const MAX_PATH = 107;
/** Attempts to replace stale sockets, should others be made meanwhile. */
const MAX_ATTEMPTS = 5;

/** A socket's file as it was made: whoever put another in its place has taken it away. */
export interface SocketFile {
  readonly path: string;
  /** Whether the file is there and still ours. */
  isPresent(): Promise<boolean>;
  /** Removes it, unless it is somebody else's by now. */
  remove(): Promise<void>;
}

/**
 * Lets `server` listen at `path`, readable by the owner only from its first moment. A socket that nobody serves is replaced.
 * The server listens under another name that is then linked: so the file appears complete or not at all, and closing
 * the server never removes a file that has taken its place.
 * @throws WarrenError `uapi-socket-taken` when another process serves it, `uapi-socket-failed`.
 */
export async function listenAt(server: net.Server, path: string): Promise<SocketFile> {
  const temporary = `${path}.${process.pid}`;
  if (Buffer.byteLength(temporary) > MAX_PATH) {
    throw new WarrenError('uapi-socket-failed', `the path ${path} is too long for a socket`);
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await unlinkIfThere(temporary);
    await listen(server, temporary);
    await chmod(temporary, 0o600);
    await linkFirst(temporary, path);
    const { dev, ino } = await stat(path);
    await unlinkIfThere(temporary);
    return socketFile(path, dev, ino);
  } catch (error) {
    server.close();
    await unlinkIfThere(temporary).catch(() => undefined); // what failed first is what matters
    if (error instanceof WarrenError) throw error;
    throw new WarrenError('uapi-socket-failed', `cannot make the socket ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function socketFile(path: string, device: number, inode: number): SocketFile {
  const isPresent = async (): Promise<boolean> => {
    const found = await lstat(path).catch(ignoreMissing);
    return found?.dev === device && found.ino === inode;
  };
  return {
    path,
    isPresent,
    async remove() {
      if (await isPresent()) await unlinkIfThere(path);
    },
  };
}

/** Links are made by one only, so of two processes that find a stale socket one gets the name. */
async function linkFirst(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await link(from, to);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === MAX_ATTEMPTS) throw error;
    }
    if (await isServed(to)) {
      throw new WarrenError(
        'uapi-socket-taken',
        `another process serves ${to}: stop it, or choose another interface name`,
      );
    }
    await unlinkIfThere(to);
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Full backlog (EAGAIN): somebody serves it, however slowly.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'));
  });
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const unlinkIfThere = (path: string): Promise<void> => unlink(path).catch(ignoreMissing);

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
