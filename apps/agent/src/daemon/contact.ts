import type { NetworkState } from '../state/network-state.js';

/** When the control plane was heard last, kept on disk, and whether what it said then may still be used. */
export class Contact {
  /** No peer is used: what was said is too old, or was taken back. */
  distrusted: boolean;

  private constructor(
    private readonly state: NetworkState,
    private at: number,
    /** The run before ended as expired: nothing is trusted until somebody has revived the node. */
    public expired: boolean,
  ) {
    this.distrusted = expired;
  }

  /** Takes up what the run before has left. */
  static async open(state: NetworkState, joinedAt: string): Promise<Contact> {
    const at = (await state.lastContact()) ?? Date.parse(joinedAt);
    return new Contact(state, at, (await state.terminal()) !== undefined);
  }

  /** The control plane was heard right now. */
  async note(): Promise<void> {
    this.at = Date.now();
    await this.state.saveLastContact(this.at);
  }

  /** The control plane let us in: the end of the run before is over. */
  async revive(): Promise<void> {
    if (this.expired) await this.state.clearTerminal();
    this.expired = false;
  }

  /**
   * To be called while the control plane is away.
   * @param toleranceMs 0: without limit (join-and-sync.md, “Tombstone”).
   * @returns whether last known state has just become too old to be trusted.
   */
  lapses(toleranceMs: number): boolean {
    if (this.distrusted || toleranceMs === 0 || Date.now() - this.at <= toleranceMs) return false;
    this.distrusted = true;
    return true;
  }
}
