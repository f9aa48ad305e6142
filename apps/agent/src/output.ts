import { describeError, type ExitCode, exitCodeOf } from './errors.js';

/** Where a command's words go: results to `out`, everything else to `err`. */
export interface Output {
  readonly json: boolean;
  /** One result: the object with `--json`, else the lines for people. */
  result(value: unknown, text: string): void;
  /** One line of what happens meanwhile. */
  note(line: string): void;
}

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export function createOutput(json: boolean, streams: Streams): Output {
  return {
    json,
    result(value, text) {
      streams.out(json ? `${JSON.stringify(value)}\n` : `${text}\n`);
    },
    note(line) {
      streams.err(`${line}\n`);
    },
  };
}

/** One line on stderr, with `--json` also the error object on stdout. @returns the exit code. */
export function reportError(error: unknown, json: boolean, streams: Streams): ExitCode {
  const { code, message } = describeError(error);
  streams.err(`agent: ${message}\n`);
  if (json) streams.out(`${JSON.stringify({ error: { code, message } })}\n`);
  return exitCodeOf(error);
}
