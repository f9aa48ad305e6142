import koffi from 'koffi';

/** First and longest pause after the kernel reported an error condition on a descriptor, milliseconds. */
const BACKOFF_FIRST = 20;
const BACKOFF_MAX = 1_000;

/** Watches of this thread that are not closed. */
const watches = new Set<Readiness>();

type PollCallback = (status: number, events: { readonly readable: boolean }) => void;

export interface Readiness {
  close(): void;
}

/**
 * Calls `onReadable` from this thread's event loop whenever the non-blocking descriptor `fd` has something to read.
 * Level-triggered: what a call leaves unread is reported again, after other events had their turn.
 *
 * An error condition (POLLERR, e.g. the interface is gone) makes libuv stop the watch; `onError` says whether to go
 * on. It does with growing pauses, so that a lasting condition costs no CPU.
 */
export function watchReadable(fd: number, onReadable: () => void, onError: () => 'continue' | 'stop'): Readiness {
  let pause = BACKOFF_FIRST;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const callback: PollCallback = (status) => {
    if (closed) return;
    if (status >= 0) {
      pause = BACKOFF_FIRST;
      onReadable();
      return;
    }
    if (onError() === 'stop' || closed) return;
    timer = setTimeout(() => handle.start({ readable: true }, asTyped(callback)), pause);
    pause = Math.min(pause * 2, BACKOFF_MAX);
  };
  const handle = koffi.node.poll(fd, { readable: true }, asTyped(callback));
  const watch: Readiness = {
    close(): void {
      if (closed) return;
      closed = true;
      watches.delete(watch);
      clearTimeout(timer);
      handle.close();
    },
  };
  watches.add(watch);
  return watch;
}

/**
 * Closes every watch of this thread: for a worker that is about to end by an exception. Its event loop turns once more
 * while Node clears it away, and a watch that fires then would end the whole process, because koffi cannot call back.
 */
export function closeWatches(): void {
  for (const watch of [...watches]) watch.close();
}

/** koffi's types leave out the first argument, libuv's status, which is there. */
const asTyped = (callback: PollCallback): Parameters<typeof koffi.node.poll>[1] =>
  callback as unknown as Parameters<typeof koffi.node.poll>[1];
