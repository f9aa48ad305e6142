import { messageOf, take } from '../../api/client.js';

/** Something that is done to one of many. */
export interface BulkTask {
  readonly id: string;
  readonly name: string;
}

export interface BulkFailure extends BulkTask {
  readonly message: string;
}

export interface BulkProgress {
  readonly total: number;
  readonly done: number;
  readonly failures: readonly BulkFailure[];
  /** The control plane asked to wait. */
  readonly waiting: boolean;
  readonly finished: boolean;
}

/** What a call of the client resolves to. */
export interface BulkAnswer {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}

/** The same for many. */
export interface BulkRun {
  /** What goes on: `Revoking`. */
  readonly title: string;
  readonly tasks: readonly BulkTask[];
  readonly run: (task: BulkTask) => Promise<BulkAnswer>;
}

interface BulkOptions extends Pick<BulkRun, 'tasks' | 'run'> {
  readonly onProgress: (progress: BulkProgress) => void;
  readonly signal: AbortSignal;
  /** Waits so many milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

const AT_ONCE = 4;
/** Between two requests, so that this takes a quarter of what is allowed (200 a second), and the page goes on. Milliseconds. */
const SPACING = 20;
/** Where the answer does not say how long to wait, and the longest that is waited at once. Milliseconds. */
const WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** One request is refused for haste so often at most. */
const MOST_WAITS = 20;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Does the same to many, a few at a time; one that fails stops no other. What is refused for haste (429) waits as long as
 * the control plane says and is done again. After an abort nothing new begins. Never throws.
 */
export async function runBulk(options: BulkOptions): Promise<BulkProgress> {
  const { tasks, signal, onProgress, pause = sleep } = options;
  const failures: BulkFailure[] = [];
  const open = [...tasks].reverse();
  let done = 0;
  let waiting = 0;
  const progress = (finished: boolean): BulkProgress => ({
    ...{ total: tasks.length, done, failures: [...failures], waiting: waiting > 0, finished },
  });
  const wait = async (milliseconds: number): Promise<void> => {
    waiting += 1;
    onProgress(progress(false));
    await pause(milliseconds);
    waiting -= 1;
  };
  const work = async (): Promise<void> => {
    for (let task = open.pop(); task && !signal.aborted; task = open.pop()) {
      const problem = await attempt(task, options.run, wait);
      if (problem !== undefined) failures.push({ id: task.id, name: task.name, message: messageOf(problem) });
      done += 1;
      onProgress(progress(false));
      await pause(SPACING * AT_ONCE);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, tasks.length) }, work));
  const end = progress(true);
  onProgress(end);
  return end;
}

/** @returns why it failed; undefined: it did not. */
async function attempt(
  task: BulkTask,
  run: BulkRun['run'],
  wait: (milliseconds: number) => Promise<void>,
): Promise<unknown> {
  try {
    for (let tries = 1; ; tries++) {
      const answer = await run(task);
      if (answer.response.status !== 429 || tries > MOST_WAITS) {
        await take(Promise.resolve(answer));
        return undefined;
      }
      await wait(retryAfter(answer.response));
    }
  } catch (error) {
    return error ?? new Error('the request failed');
  }
}

/** RFC 9110 §10.2.3, in seconds. */
function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, LONGEST_WAIT) : WAIT;
}
