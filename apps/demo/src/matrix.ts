import type { PairResult } from '@warren/netlab';

/** A pair as the matrix shows it. `path` is what the sending agent says, while it says anything. */
export interface ShownPair extends PairResult {
  readonly path?: string;
}

const REACHED = '✓';
const UNREACHED = '✗';

/** `✓6 bounce` and two spaces: five columns and their names fit a terminal of 80. */
const CELL = 11;
const CORNER = 'from \\ to';

/**
 * Rows send, columns receive, numbered as the rows; `✓ direct` answered over IPv4 and IPv6, `✓4` or `✓6` over one of
 * them only.
 */
export function renderMatrix(names: readonly string[], pairs: readonly ShownPair[]): string {
  const titles = names.map((name, index) => `${index + 1} ${name}`);
  const width = Math.max(CORNER.length, ...titles.map((title) => title.length)) + 2;
  const row = (title: string, cells: readonly string[]): string =>
    (title.padEnd(width) + cells.map((cell) => cell.padEnd(CELL)).join('')).trimEnd();
  const header = row(
    'from \\ to',
    names.map((_, index) => String(index + 1)),
  );
  return [
    header,
    ...names.map((from, index) =>
      row(
        titles[index]!,
        names.map((to) => renderPair(from, to, pairs)),
      ),
    ),
  ].join('\n');
}

function renderPair(from: string, to: string, pairs: readonly ShownPair[]): string {
  if (from === to) return '·';
  const pair = pairs.find((candidate) => candidate.from === from && candidate.to === to);
  if (!pair) return '…';
  if (!pair.ipv4 && !pair.ipv6) return UNREACHED;
  const family = pair.ipv4 && pair.ipv6 ? '' : pair.ipv4 ? '4' : '6';
  return `${REACHED}${family}${pair.path === undefined ? '' : ` ${pair.path}`}`;
}

/** `20 of 20 pairs reach each other over IPv4 and IPv6`, or which do not. */
export function renderOutcome(pairs: readonly PairResult[]): string {
  const failed = pairs.filter(({ ipv4, ipv6 }) => !(ipv4 && ipv6));
  const summary = `${pairs.length - failed.length} of ${pairs.length} pairs reach each other over IPv4 and IPv6`;
  const lines = failed.map(({ from, to, ipv4, ipv6 }) => {
    const missing = [...(ipv4 ? [] : ['IPv4']), ...(ipv6 ? [] : ['IPv6'])].join(' and ');
    return `  no answer: ${from} → ${to} over ${missing}`;
  });
  return [summary, ...lines].join('\n');
}
