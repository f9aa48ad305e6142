const WEEK = 7 * 86_400_000;

/** Nobody is warned longer before a key expires than this, milliseconds. */
export const LONGEST_KEY_WARNING = WEEK;
/** A key's last tenth is the time of warning. */
export const KEY_WARNING_PART = 10;

/**
 * How long before a key expires its agent and the operator are warned, milliseconds: a week, or a tenth of the life that
 * keys have in the network where that is less.
 * @param keyExpiryMs null: keys live for ever there, and this one was given an end by hand.
 */
export const keyWarningMs = (keyExpiryMs: number | null | undefined): number =>
  Math.min(LONGEST_KEY_WARNING, (keyExpiryMs ?? Number.POSITIVE_INFINITY) / KEY_WARNING_PART);
