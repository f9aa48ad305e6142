import { type NetworkId, toHex } from '@warren/base';
import type { Store, TombstoneRow } from '@warren/db';
import type { Log } from '../log.js';

/** How far back a change makes us look, milliseconds: longer than any transaction takes to commit. */
const RECENT = 3_600_000;
const RETRY_INTERVAL = 1_000;

/**
 * Hands every revocation on as soon as it is committed, here or at another replica, whether or not anybody of its network
 * is connected here. Each once.
 */
export async function followTombstones(
  store: Pick<Store, 'onChange' | 'tombstones'>,
  add: (tombstones: readonly TombstoneRow[]) => void,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  /** Handed on already, by signature; those that are no longer looked at are forgotten. */
  let known = new Set((await store.tombstones(RECENT)).map(keyOf));
  const waiting = new Set<NetworkId>();
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function look(id: NetworkId): Promise<void> {
    const fresh = (await store.tombstones(RECENT, id)).filter((row) => !known.has(keyOf(row)));
    if (fresh.length === 0 || closed) return;
    add(fresh);
    known = new Set([...known, ...fresh.map(keyOf)].slice(-MAX_KNOWN));
  }
  async function run(): Promise<void> {
    if (running || closed) return;
    running = true;
    try {
      for (const id of waiting) {
        waiting.delete(id);
        await look(id).catch((error: unknown) => {
          waiting.add(id);
          throw error;
        });
      }
    } catch (error) {
      log.warn({ err: error }, 'cannot read revocations for the signal server');
      clearTimeout(timer);
      timer = setTimeout(() => void run(), RETRY_INTERVAL).unref();
    } finally {
      running = false;
    }
  }
  const feed = await store.onChange((id) => {
    waiting.add(id);
    void run();
  });
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await feed.close();
    },
  };
}

/** Beyond this an old one may be handed on again, which does no harm. */
const MAX_KNOWN = 10_000;

const keyOf = ({ signature }: TombstoneRow): string => toHex(signature);
