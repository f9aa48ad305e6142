import type { NetworkId } from '@warren/base';
import type { MemberRow, Store } from '@warren/db';

/** What is seen, which no revision counts, is as old as this at most; milliseconds. */
const GOOD_FOR = 30_000;
const MOST_NETWORKS = 16;

interface Kept {
  readonly revision: number;
  readonly at: number;
  readonly rows: Promise<readonly MemberRow[]>;
}

/** The members of networks as the database has them, read once for each revision: many ask for the same at once. */
export class MemberRows {
  readonly #kept = new Map<NetworkId, Kept>();

  constructor(
    private readonly store: Pick<Store, 'members'>,
    private readonly now: () => number,
  ) {}

  of(id: NetworkId, revision: number): Promise<readonly MemberRow[]> {
    const known = this.#kept.get(id);
    if (known?.revision === revision && this.now() - known.at < GOOD_FOR) return known.rows;
    const rows = this.store.members(id);
    this.#kept.delete(id);
    if (this.#kept.size >= MOST_NETWORKS) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(id, { revision, at: this.now(), rows });
    rows.catch(() => {
      if (this.#kept.get(id)?.rows === rows) this.#kept.delete(id);
    });
    return rows;
  }
}
