import { status as Grpc } from '@grpc/grpc-js';
import { WarrenError } from '@warren/base';

/** The one place that says what a stable error code is on each wire. A code that is not listed is a bug of ours. */
const CODES: Readonly<Record<string, readonly [http: number, grpc: Grpc]>> = {
  'bad-request': [400, Grpc.INVALID_ARGUMENT],
  'password-too-short': [400, Grpc.INVALID_ARGUMENT],
  'private-key-sent': [400, Grpc.INVALID_ARGUMENT],
  'endpoint-missing': [400, Grpc.INVALID_ARGUMENT],
  'record-bad': [400, Grpc.INVALID_ARGUMENT],
  'challenge-bad': [400, Grpc.INVALID_ARGUMENT],
  'possession-unproven': [400, Grpc.INVALID_ARGUMENT],
  unauthorized: [401, Grpc.UNAUTHENTICATED],
  'certificate-required': [401, Grpc.UNAUTHENTICATED],
  'sign-in-failed': [401, Grpc.UNAUTHENTICATED],
  'link-unknown': [401, Grpc.UNAUTHENTICATED],
  'link-used': [401, Grpc.UNAUTHENTICATED],
  'link-expired': [401, Grpc.UNAUTHENTICATED],
  'api-key-expired': [401, Grpc.UNAUTHENTICATED],
  'renewal-bad': [401, Grpc.UNAUTHENTICATED],
  'token-unknown': [401, Grpc.UNAUTHENTICATED],
  'claim-bad': [401, Grpc.UNAUTHENTICATED],
  'token-expired': [403, Grpc.PERMISSION_DENIED],
  'token-revoked': [403, Grpc.PERMISSION_DENIED],
  'token-used-up': [403, Grpc.PERMISSION_DENIED],
  'key-banned': [403, Grpc.PERMISSION_DENIED],
  'node-revoked': [403, Grpc.PERMISSION_DENIED],
  'node-expired': [403, Grpc.PERMISSION_DENIED],
  'node-pending': [403, Grpc.PERMISSION_DENIED],
  'node-unknown': [403, Grpc.PERMISSION_DENIED],
  'signal-server-unknown': [403, Grpc.PERMISSION_DENIED],
  'node-removed': [403, Grpc.PERMISSION_DENIED],
  clone: [403, Grpc.PERMISSION_DENIED],
  'scope-missing': [403, Grpc.PERMISSION_DENIED],
  csrf: [403, Grpc.PERMISSION_DENIED],
  'password-wrong': [403, Grpc.PERMISSION_DENIED],
  forbidden: [403, Grpc.PERMISSION_DENIED],
  'not-found': [404, Grpc.NOT_FOUND],
  'not-acceptable': [406, Grpc.INVALID_ARGUMENT],
  'name-taken': [409, Grpc.ALREADY_EXISTS],
  'key-taken': [409, Grpc.ALREADY_EXISTS],
  'role-conflict': [409, Grpc.FAILED_PRECONDITION],
  'addresses-exhausted': [409, Grpc.RESOURCE_EXHAUSTED],
  'address-taken': [409, Grpc.ALREADY_EXISTS],
  'reservation-exists': [409, Grpc.ALREADY_EXISTS],
  'too-many-reservations': [409, Grpc.RESOURCE_EXHAUSTED],
  'lan-clash': [409, Grpc.FAILED_PRECONDITION],
  'too-many-signal-servers': [409, Grpc.RESOURCE_EXHAUSTED],
  'import-conflict': [409, Grpc.FAILED_PRECONDITION],
  'network-not-empty': [409, Grpc.FAILED_PRECONDITION],
  'private-key-not-held': [409, Grpc.FAILED_PRECONDITION],
  'not-vanilla': [409, Grpc.FAILED_PRECONDITION],
  'public-key-missing': [409, Grpc.FAILED_PRECONDITION],
  'node-not-active': [409, Grpc.FAILED_PRECONDITION],
  'vanilla-key': [409, Grpc.FAILED_PRECONDITION],
  'key-changed': [409, Grpc.ABORTED],
  'record-stale': [409, Grpc.FAILED_PRECONDITION],
  'idempotency-in-progress': [409, Grpc.ABORTED],
  'idempotency-answer-lost': [409, Grpc.ABORTED],
  'method-not-allowed': [405, Grpc.INVALID_ARGUMENT],
  'agent-offline': [409, Grpc.UNAVAILABLE],
  'agent-too-old': [409, Grpc.UNIMPLEMENTED],
  'explain-failed': [409, Grpc.FAILED_PRECONDITION],
  'etag-mismatch': [412, Grpc.FAILED_PRECONDITION],
  'body-too-large': [413, Grpc.RESOURCE_EXHAUSTED],
  'media-type-unsupported': [415, Grpc.INVALID_ARGUMENT],
  'idempotency-key-reused': [422, Grpc.INVALID_ARGUMENT],
  'too-many-requests': [429, Grpc.RESOURCE_EXHAUSTED],
  'too-many-streams': [429, Grpc.RESOURCE_EXHAUSTED],
  'agent-answer-bad': [502, Grpc.INTERNAL],
  'agent-silent': [504, Grpc.DEADLINE_EXCEEDED],
  internal: [500, Grpc.INTERNAL],
  draining: [503, Grpc.UNAVAILABLE],
  busy: [503, Grpc.UNAVAILABLE],
  'dashboard-missing': [503, Grpc.UNAVAILABLE],
  'database-outdated': [503, Grpc.UNAVAILABLE],
  'database-unavailable': [503, Grpc.UNAVAILABLE],
};

/** What a caller is told of an error, on either wire. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly http: number;
  readonly grpc: Grpc;
}

/** Errors that are no `WarrenError` become `internal`: their text may hold what is nobody's business. */
export function refusalOf(error: unknown): Refusal {
  const known = error instanceof WarrenError ? CODES[error.code] : undefined;
  if (error instanceof WarrenError && known) {
    return { code: error.code, message: error.message, http: known[0], grpc: known[1] };
  }
  const message = 'the control plane failed at this; its log says why';
  return { code: 'internal', message, http: 500, grpc: Grpc.INTERNAL };
}

/** Whether the text of `error` may be shown, and no log entry is needed. */
export const isExpected = (error: unknown): boolean => error instanceof WarrenError && error.code in CODES;
