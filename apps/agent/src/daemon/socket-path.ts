import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** `sun_path` has 108 bytes with its final zero: unix(7). */
const MAX_PATH = 107;

export const socketPath = (stateDir: string): string => join(stateDir, 'agent.sock');

/**
 * Calls `use` with a path to the daemon's socket that the kernel takes, however deep the state directory lies: a long
 * one is addressed through a descriptor of the folder. The path is good until what `use` returns settles.
 */
export async function withSocketPath<T>(stateDir: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = socketPath(stateDir);
  if (Buffer.byteLength(path) <= MAX_PATH) return use(path);
  const folder = openSync(stateDir, 'r');
  try {
    return await use(`/proc/self/fd/${folder}/agent.sock`);
  } finally {
    closeSync(folder);
  }
}

/** Abstract socket that a daemon of this directory holds: gone with its process, also after kill -9. */
export function lockName(canonicalStateDir: string): string {
  return `\0warren-agent-${createHash('sha256').update(canonicalStateDir).digest('hex').slice(0, 32)}`;
}
