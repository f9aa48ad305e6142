import type { PairResult } from '@warren/netlab';

/** A pair as the matrix shows it. `path` is what the sending agent says, while it says anything. */
export interface ShownPair extends PairResult {
  readonly path?: string;
}

const REACHED = '✓';
const UNREACHED = '✗';

/** Rows send, columns receive; `✓ direct` answered over IPv4 and IPv6, `✓4`/`✓6` over one of them only. */
export function renderMatrix(names: readonly string[], pairs: readonly ShownPair[]): string {
  const width = Math.max(...names.map((name) => name.length), 9) + 2;
  const cell = (text: string): string => text.padEnd(width);
  const header = cell('from \\ to') + names.map(cell).join('');
  const rows = names.map((from) => cell(from) + names.map((to) => cell(renderPair(from, to, pairs))).join(''));
  return [header, ...rows].map((line) => line.trimEnd()).join('\n');
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
