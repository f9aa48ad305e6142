import { WarrenError } from '@warren/base';

/** What a process exit means; scripts rely on it. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5;

/** The control plane heard us and said no; `code` is its own stable code. Exit code 3. */
export class RefusedError extends WarrenError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** Codes of our own that do not mean "something about this host" (exit code 1). */
const EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  usage: 2,
  'token-invalid': 3,
  'node-revoked': 3,
  'node-expired': 3,
  'node-removed': 3,
  clone: 3,
  'control-unreachable': 4,
  'not-connected': 4,
  'pin-mismatch': 5,
};

/** The exit code of a failure: what the control plane refused is 3, unknown codes are this host's business: 1. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof RefusedError) return 3;
  if (error instanceof WarrenError) return EXIT_CODES[error.code] ?? 1;
  return 1;
}

/** Code and one line for people. Errors that are not ours are described by what the system said. */
export function describeError(error: unknown): { code: string; message: string } {
  if (error instanceof WarrenError) return { code: error.code, message: oneLine(error.message) };
  if (isSystemError(error)) return describeSystemError(error);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'internal', message: oneLine(`the agent failed inside, please report it: ${text}`) };
}

/** `address`: of a socket. */
export type SystemError = Error & { code: string; path?: string; address?: string };

/** Whether Node made this error from a failed system call, e.g. `ENOENT`. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && 'syscall' in error;
}

/** Whether a file or folder was not there. */
export const isMissing = (error: unknown): boolean => isSystemError(error) && error.code === 'ENOENT';

function describeSystemError(error: SystemError): { code: string; message: string } {
  const where = error.path ?? error.address ?? 'a file';
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return { code: 'not-permitted', message: `no permission for ${where}: run the command as root` };
  }
  if (error.code === 'ENOSPC') return { code: 'disk-full', message: `no space left for ${where}: free some and retry` };
  return { code: 'system-error', message: oneLine(`the system refused: ${error.message}`) };
}

/** Control characters, which names and replies from elsewhere may hold, do not reach the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

const oneLine = (text: string): string =>
  text
    .replace(/\s*\n\s*/g, ' ')
    .replace(CONTROL, '\u{fffd}')
    .trim();
