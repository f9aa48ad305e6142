import type { NetworkRow, NetworkSettings } from '../store-api.js';
import { badRequest } from './checks.js';

/** Milliseconds: below this a key would be gone before its agent had time to get another, an ephemeral node before it could reconnect. */
const SHORTEST = 1_000;
/** Beyond this dates have no RFC 3339 text. */
const LONGEST = 100 * 365 * 86_400_000;

/** @throws WarrenError `bad-request`. */
export function checkNetworkTimes(change: NetworkSettings): void {
  check('the offline tolerance', change.offlineToleranceMs, 0);
  check('the life of keys', change.keyExpiryMs, SHORTEST);
  check('the age at which keys are changed', change.keyRotationMs, SHORTEST);
  check('the absence of ephemeral nodes', change.ephemeralAfterMs, SHORTEST);
}

/** When a key that is in use from `from` on expires; null: never. */
export const keyExpiryFrom = ({ keyExpiryMs }: Pick<NetworkRow, 'keyExpiryMs'>, from: Date): Date | null =>
  keyExpiryMs === null ? null : new Date(from.getTime() + keyExpiryMs);

function check(what: string, value: number | null | undefined, least: number): void {
  if (value === undefined || value === null) return;
  if (Number.isInteger(value) && value >= least && value <= LONGEST) return;
  throw badRequest(`${what} must be ${least} to ${LONGEST} milliseconds, not ${value}`);
}
