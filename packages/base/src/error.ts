/** A bug of ours: never caught and carried on with. The process ends. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError with `message` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * An operation that could not be done. `code` is stable and kebab-case; `message` is one line that says what was
 * wrong and what to do. Codes are mapped to HTTP status, gRPC status and exit codes at the edges only.
 */
export class WarrenError extends Error {
  override readonly name = 'WarrenError';

  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
