import { WarrenError } from '@warren/base';

/** Where a command writes; tests give their own. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `key  value` lines. */
export const record = (fields: Readonly<Record<string, string>>): string => {
  const width = Math.max(...Object.keys(fields).map((key) => key.length));
  return Object.entries(fields)
    .map(([key, value]) => `${key.padEnd(width)}  ${value}`)
    .join('\n');
};

/** One line on stderr; with `--json` also an object on stdout. @returns the exit code: 2 for wrong usage, else 1. */
export function reportError(error: unknown, json: boolean, output: Output): number {
  const known = error instanceof WarrenError;
  const code = known ? error.code : 'internal';
  const message = oneLine(error instanceof Error ? error.message : String(error));
  output.err(`warren: ${message}\n`);
  if (json) output.out(`${JSON.stringify({ error: { code, message } })}\n`);
  return code === 'usage' ? 2 : 1;
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim();
