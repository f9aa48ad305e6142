import { setTimeout as delay } from 'node:timers/promises';
import { WarrenError } from '@warren/base';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Milliseconds between two looks; 50 unless said. */
  readonly intervalMs?: number;
}

/**
 * Looks again and again until `look` gives something other than undefined, null or false, and returns that.
 * @throws WarrenError `timeout` that names `what`, and what the last look threw, if it did.
 */
export async function waitUntil<T>(
  what: string,
  options: WaitOptions,
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) {
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      throw new WarrenError('timeout', `waited ${options.timeoutMs} ms for ${what}${why}`, { cause });
    }
    await delay(options.intervalMs ?? 50);
  }
}
