import type { Instant } from '@warren/base';
import type { RemoteCandidate } from './remote-candidates.js';
import { delayed } from './times.js';

/** The path that was lost is asked so often whether it is back, and for so long. */
const ASK_EVERY_MS = 1_000;
const ASK_FOR_MS = 60_000;

/** The direct path that was given up last: an outage on the way ends without a sign. */
export class FormerPath {
  #candidate: RemoteCandidate | undefined;
  #until: Instant | undefined;

  set(candidate: RemoteCandidate, now: Instant): void {
    this.#candidate = candidate;
    this.#until = delayed(now, ASK_FOR_MS);
  }

  forget(): void {
    this.#candidate = this.#until = undefined;
  }

  /** What is to be pinged now. */
  due(now: Instant): RemoteCandidate | undefined {
    const at = this.deadline(now);
    return at !== undefined && now >= at ? this.#candidate : undefined;
  }

  deadline(now: Instant): Instant | undefined {
    if (!this.#candidate || now >= this.#until!) return undefined;
    const { pingedAt } = this.#candidate;
    return pingedAt === undefined ? now : delayed(pingedAt, ASK_EVERY_MS);
  }
}
