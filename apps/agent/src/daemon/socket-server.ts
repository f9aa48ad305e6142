import { chmod, realpath, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { WarrenError } from '@warren/base';
import { describeError, isMissing, isSystemError } from '../errors.js';
import { makePrivateFolder } from '../state/atomic-file.js';
import { type DaemonReplies, type DaemonRequest, MAX_REQUEST } from './socket-messages.js';
import { lockName, socketPath, withSocketPath } from './socket-path.js';

export type AnswerRequest = (request: DaemonRequest) => Promise<DaemonReplies[DaemonRequest['method']]>;

export interface SocketServer {
  /** Answers what is under way, then closes; removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves `<state-dir>/agent.sock`, mode 0600. One daemon a state directory: an abstract socket is the lock, so what a
 * kill -9 leaves behind is only a file, and is replaced.
 * @throws WarrenError `already-running`.
 */
export async function serveSocket(stateDir: string, answer: AnswerRequest): Promise<SocketServer> {
  await makePrivateFolder(stateDir);
  const lock = createServer();
  await listen(lock, lockName(await realpath(stateDir))).catch((error: unknown) => {
    if (isSystemError(error) && error.code === 'EADDRINUSE') throw alreadyRunning();
    throw error;
  });
  const server = createServer((socket) => serve(socket, answer));
  try {
    await withSocketPath(stateDir, async (path) => {
      await unlinkIfThere(path);
      await listen(server, path);
    });
    await chmod(socketPath(stateDir), 0o600);
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    async close() {
      await unlinkIfThere(socketPath(stateDir));
      await Promise.all([closeServer(server), closeServer(lock)]);
    },
  };
}

const alreadyRunning = (): WarrenError =>
  new WarrenError('already-running', 'the agent is already running with this state directory: see `agent status`');

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function serve(socket: Socket, answer: AnswerRequest): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy()); // the asking command has gone
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= MAX_REQUEST) return;
    socket.removeAllListeners('data').resume();
    void reply(text.slice(0, end), answer).then((line) => socket.end(`${line}\n`));
  });
}

async function reply(line: string, answer: AnswerRequest): Promise<string> {
  try {
    return JSON.stringify({ ok: await answer(parseRequest(line)) });
  } catch (error) {
    return JSON.stringify({ error: describeError(error) });
  }
}

function parseRequest(line: string): DaemonRequest {
  try {
    return JSON.parse(line) as DaemonRequest;
  } catch (error) {
    throw new WarrenError('bad-request', 'the request is no JSON: use the agent command of the same version', {
      cause: error,
    });
  }
}
