import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WarrenError } from '@warren/base';
import { Forwarding } from '../host/forwarding.js';
import { kernelSettings } from '../host/kernel-settings.js';
import { runProgram } from '../host/program.js';
import type { Log } from '../log.js';
import { notRunning } from './socket-client.js';
import { socketPath } from './socket-path.js';
import { serveSocket } from './socket-server.js';

/** Where a daemon writes down what it changed on the host, before it changes it. */
export const forwardingLedger = (stateDir: string): string => join(stateDir, 'forwarding.json');

/**
 * Takes down what a killed daemon left on the host: forwarding, its rules, the socket. For commands after which no
 * daemon may ever start again to do it. Does nothing while a daemon runs.
 * @returns whether a daemon had left something.
 */
export async function takeDownLeftovers(stateDir: string, log: Log): Promise<boolean> {
  const path = forwardingLedger(stateDir);
  if (!existsSync(path) && !existsSync(socketPath(stateDir))) return false;
  // The socket is the lock: no daemon starts meanwhile, and closing it removes the file.
  const socket = await serveSocket(stateDir, async () => {
    throw notRunning();
  }).catch((error: unknown) => {
    if (error instanceof WarrenError && error.code === 'already-running') return undefined;
    throw error;
  });
  if (!socket) return false;
  try {
    await new Forwarding({ path, kernel: kernelSettings, run: runProgram, log }).takeDownAll();
  } finally {
    await socket.close();
  }
  return true;
}
