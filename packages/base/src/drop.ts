/**
 * Why bytes from outside were not used. Frozen singletons, compared by identity and counted by `reason`:
 * the hot path returns them without allocating.
 */
export interface Drop {
  readonly drop: true;
  readonly reason: string;
}

/** Makes the singleton for one reason; call it once, at module level. */
export const drop = <R extends string>(reason: R): Drop & { readonly reason: R } =>
  Object.freeze({ drop: true, reason });

/** Tells a drop from any other result, numbers included. */
export function isDrop(value: unknown): value is Drop {
  return typeof value === 'object' && value !== null && (value as { drop?: unknown }).drop === true;
}
