/** A refusal of the control plane (RFC 9457): `code` is stable, `message` says what was wrong and what to do. */
export class WarrenProblem extends Error {
  override readonly name = 'WarrenProblem';

  constructor(
    /** `unreachable` when the answer was no problem document: something else than a control plane gave it. */
    readonly code: string,
    message: string,
    /** HTTP status of the answer. */
    readonly status: number,
    /** The fields of the request that were wrong, where it was that. */
    readonly errors: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(message);
  }
}

/** @param body the parsed answer, of whatever shape. */
export function problemOf(status: number, body: unknown): WarrenProblem {
  const { code, detail, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof detail !== 'string') {
    const text = `the answer was HTTP ${status}, from something that is no control plane`;
    return new WarrenProblem('unreachable', text, status);
  }
  return new WarrenProblem(code, detail, status, Array.isArray(errors) ? errors : []);
}
