import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, isSystemError } from '../errors.js';
import { PendingJoin } from './pending-join.js';

/**
 * A pending join and the folders around it: after a refusal the host is as it was before, down to the state directory,
 * if the join made that.
 */
export class JoinFolder {
  #mayHaveJoined = false;

  private constructor(
    readonly pending: PendingJoin,
    private readonly stateDir: string,
    private readonly madeStateDir: boolean,
  ) {
    this.#mayHaveJoined = pending.sent !== undefined;
  }

  static async open(stateDir: string, tokenId: string): Promise<JoinFolder> {
    const made = (await mkdir(stateDir, { recursive: true, mode: 0o700 })) !== undefined;
    return new JoinFolder(await PendingJoin.open(stateDir, tokenId), stateDir, made);
  }

  /** Join is under way: its answer may get lost from now on. */
  setSent(): void {
    this.#mayHaveJoined = true;
  }

  /** The control plane decided, and said so. */
  setRefused(): void {
    this.#mayHaveJoined = false;
  }

  /** Keeps the keys only when the control plane may have joined them: then the same join must be repeated. */
  async discardUnlessSent(): Promise<void> {
    if (!this.#mayHaveJoined) await this.discard();
  }

  /** The join is complete. */
  async finish(): Promise<void> {
    await this.pending.remove();
    await removeEmptyFolder(join(this.stateDir, 'pending'));
  }

  async discard(): Promise<void> {
    await this.finish();
    if (this.madeStateDir) await removeEmptyFolder(this.stateDir);
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
