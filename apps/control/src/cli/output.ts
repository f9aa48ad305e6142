import { WarrenError } from '@warren/base';
import { printable } from './display-text.js';
import type { Terminal } from './screen.js';

/** Where a command writes; tests give their own. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  /** What is known of the terminal behind `out`; absent: it is none. */
  readonly terminal?: Terminal;
}

/** One line on stderr; with `--json` also an object on stdout. @returns the exit code: 2 for wrong usage, else 1. */
export function reportError(error: unknown, json: boolean, output: Output): number {
  const known = error instanceof WarrenError;
  const code = known ? error.code : 'internal';
  const text = error instanceof Error ? error.message : String(error);
  const message = oneLine(known ? text : `the command failed inside, please report it: ${text}`);
  output.err(`warren: ${message}\n`);
  if (json) output.out(`${JSON.stringify({ error: { code, message } })}\n`);
  return code === 'usage' ? 2 : 1;
}

const oneLine = (text: string): string => printable(text.replace(/\s*\n\s*/g, ' ').trim());
