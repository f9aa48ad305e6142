import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { WarrenError } from '@warren/base';
import { programMissing, withSystemFolders } from './command.js';

const PROGRAMS = ['ip', 'nft', 'ping', 'nsenter', 'unshare', 'setpriv', 'mount'] as const;

/**
 * Says why this machine cannot hold a lab, or nothing when it can: tests skip with this text, the demo ends with it.
 */
export function labObstacle(): string | undefined {
  try {
    requireLab();
    return undefined;
  } catch (error) {
    if (error instanceof WarrenError) return error.message;
    throw error;
  }
}

/** @throws WarrenError `not-linux`, `not-root` or `program-missing`, with what to do about it. */
export function requireLab(): void {
  if (process.platform !== 'linux') throw new WarrenError('not-linux', 'network namespaces exist on Linux only');
  if (process.geteuid?.() !== 0) {
    throw new WarrenError('not-root', 'network namespaces need root: run this as root, or with sudo');
  }
  for (const program of PROGRAMS) if (!isInstalled(program)) throw programMissing(program);
}

function isInstalled(program: string): boolean {
  const folders = withSystemFolders(process.env).PATH!.split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
