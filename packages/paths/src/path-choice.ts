import { costOf, type RemoteCandidate } from './remote-candidates.js';

/** What another path has to be better by, milliseconds and as a part of the cost. */
const HYSTERESIS_MS = 10;
const HYSTERESIS_PART = 0.2;
/** How much the wish of the other side counts, milliseconds, so that both choose the same. */
const PREFERENCE_MS = 20;

/**
 * Whether a proven candidate is worth leaving the current one for: by kind and round trip. What the peer prefers counts only
 * on one of the two sides (`theyDecide`), so that they do not follow each other back and forth.
 */
export function isBetterPath(candidate: RemoteCandidate, current: RemoteCandidate, theyDecide: boolean): boolean {
  const wished = wishFor(candidate, theyDecide) - wishFor(current, theyDecide);
  const margin = wished > 0 ? 0 : Math.max(HYSTERESIS_MS, costOf(current) * HYSTERESIS_PART);
  return costOf(candidate) - wished + margin < costOf(current);
}

const wishFor = (candidate: RemoteCandidate, theyDecide: boolean): number =>
  theyDecide && candidate.preferredAt !== undefined ? PREFERENCE_MS : 0;
