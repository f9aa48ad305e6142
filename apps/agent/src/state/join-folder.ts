import { join } from 'node:path';
import { makePrivateFolder, removeEmptyFolder } from './atomic-file.js';
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
    const made = await makePrivateFolder(stateDir);
    try {
      return new JoinFolder(await PendingJoin.open(stateDir, tokenId), stateDir, made);
    } catch (error) {
      await removeEmptyFolder(join(stateDir, 'pending'));
      if (made) await removeEmptyFolder(stateDir);
      throw error;
    }
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
