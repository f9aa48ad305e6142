import { createConnection } from 'node:net';
import { WarrenError } from '@warren/base';
import { isSystemError, RefusedError } from '../errors.js';
import type { DaemonReplies, DaemonReply, DaemonRequest } from './socket-messages.js';
import { withSocketPath } from './socket-path.js';

/** Codes of failures that the control plane decided: told by the daemon, they keep their exit code. */
const REFUSED = new Set([
  'node-revoked',
  'node-expired',
  'node-removed',
  'node-unknown',
  'name-taken',
  'certificate-required',
  'node-not-active',
  'record-bad',
  'record-stale',
  'challenge-bad',
  'possession-unproven',
  'key-banned',
  'key-changed',
  'key-taken',
]);

/**
 * Asks the daemon. @returns undefined when none runs.
 * @throws WarrenError with the daemon's own code and words.
 */
export async function askDaemon<R extends DaemonRequest>(
  stateDir: string,
  request: R,
): Promise<DaemonReplies[R['method']] | undefined> {
  const line = await withSocketPath(stateDir, (path) => exchange(path, JSON.stringify(request))).catch(noDaemon);
  if (line === undefined) return undefined;
  const reply = parseReply<R['method']>(line);
  if ('ok' in reply) return reply.ok;
  const { code, message } = reply.error;
  throw REFUSED.has(code) ? new RefusedError(code, message) : new WarrenError(code, message);
}

/** `network`: the one that was asked for; the daemon may run without it. */
export const notRunning = (network?: string): WarrenError =>
  network === undefined
    ? new WarrenError('not-running', 'the agent is not running: start it with `agent up`')
    : new WarrenError(
        'not-running',
        `network ${network} is not running: start it with \`agent up --network ${network}\``,
      );

/** Without a folder, without a socket, or with one that a killed daemon left: nobody is there. */
function noDaemon(error: unknown): undefined {
  if (isSystemError(error) && ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(error.code)) return undefined;
  throw error;
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path, () => socket.write(`${request}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(text));
  });
}

function parseReply<M extends DaemonRequest['method']>(line: string): DaemonReply<M> {
  try {
    return JSON.parse(line) as DaemonReply<M>;
  } catch (error) {
    throw new WarrenError('daemon-died', 'the daemon ended while it was asked: look at its log, start it again', {
      cause: error,
    });
  }
}
