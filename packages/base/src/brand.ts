/** Nominal typing for values that share a representation: an `Instant` is not a `Millis`. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Monotonic time, milliseconds since an origin that only the shell knows. Never wall time. */
export type Instant = Brand<number, 'Instant'>;
/** A duration in milliseconds. */
export type Millis = Brand<number, 'Millis'>;
/** Wall time, milliseconds since 1970-01-01T00:00:00Z. */
export type UnixMillis = Brand<number, 'UnixMillis'>;

export const instant = (ms: number): Instant => ms as Instant;
export const millis = (ms: number): Millis => ms as Millis;
export const unixMillis = (ms: number): UnixMillis => ms as UnixMillis;
/** The instant `delay` after `at`. */
export const after = (at: Instant, delay: Millis): Instant => (at + delay) as Instant;
/** Time from `from` to `to`; negative when `to` is earlier. */
export const elapsed = (from: Instant, to: Instant): Millis => (to - from) as Millis;

/** Node id: a UUID, made on the host that joins. */
export type NodeId = Brand<string, 'NodeId'>;
/** Network id: a UUID, made by the control plane. */
export type NetworkId = Brand<string, 'NetworkId'>;
export const nodeId = (id: string): NodeId => id as NodeId;
export const networkId = (id: string): NetworkId => id as NetworkId;
