import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing, isSystemError } from '../errors.js';

/**
 * Replaces a file so that after a crash at any moment either the old or the new content is there, whole: temporary
 * file in the same folder, fsync, rename, fsync of the folder. Mode 0600. The folder exists.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await removeFile(temporary);
    // A failed write names no file by itself.
    if (isSystemError(error)) error.path = path;
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Makes the folder and those above it, 0700 each. Node's own `recursive` never returns below /proc, and says ENOENT on
 * a read-only file system.
 * @returns whether it was not there before.
 */
export async function makePrivateFolder(path: string): Promise<boolean> {
  try {
    return await makeFolder(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
  }
  await makePrivateFolder(dirname(path));
  return makeFolder(path);
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the folder unless something is in it. */
export async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const inUse = isSystemError(error) && ['ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(error.code);
    if (!inUse && !isMissing(error)) throw error;
  }
}

/** @returns undefined when there is no such file. */
export async function readFileIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Parsed JSON; undefined when the file is missing or holds no JSON object. */
export async function readJsonIfThere(path: string): Promise<Record<string, unknown> | undefined> {
  const content = await readFileIfThere(path);
  if (!content) return undefined;
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Removes the file if it is there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
