import { useSyncExternalStore } from 'react';
import { formatAgo } from './format.js';

/** One clock for all times on the page. */
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Unix milliseconds, to ten seconds. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

/** A moment in the viewer's zone: how long ago; exactly, with the zone, on hover. */
export function Time({ at }: { at: string | number }) {
  const current = useNow();
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={exact.format(date)} className="whitespace-nowrap tabular-nums">
      {formatAgo(date.getTime(), Math.max(current, Date.now() - 10_000))}
    </time>
  );
}
