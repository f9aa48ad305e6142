/** Edits that a mistyped name is away from the right one, at most. */
const FAR = 2;

/** The candidate that was probably meant, or undefined: the only one that begins so, else one at most two edits away. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const beginning = wanted.length > 1 ? candidates.filter((name) => name.toLowerCase().startsWith(wanted)) : [];
  if (beginning.length === 1) return beginning[0];
  let best: string | undefined;
  let least = Math.min(FAR, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** `: did you mean X?`, or what else to do. */
export function hint(word: string, candidates: readonly string[], otherwise: string): string {
  const meant = closest(word, candidates);
  return meant === undefined ? `: ${otherwise}` : `: did you mean ${meant}?`;
}

/** Optimal string alignment distance, `limit` where it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return Math.min(last[b.length]!, limit);
}
