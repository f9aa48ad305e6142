import { type Prefix, parsePrefix } from '@warren/base';
import type { Observation } from '@warren/proto';

/** What an agent sees on its host and the operator should know. Kept while its stream lives (docs/ARCHITECTURE.md, “Life of a change”). */
export interface Observed {
  /** Networks of its other interfaces that clash with the mesh. */
  readonly lanClashes: readonly Prefix[];
  /** All networks of its other interfaces. */
  readonly lanPrefixes: readonly Prefix[];
}

export const NOTHING_OBSERVED: Observed = { lanClashes: [], lanPrefixes: [] };

/** An agent is believed what it says of itself, but not how much of it. */
const MAX_PREFIXES = 64;

/** Leaves out what is no prefix. */
export const observedOf = ({ lanClashes, lanPrefixes }: Observation): Observed => ({
  lanClashes: prefixesOf(lanClashes),
  lanPrefixes: prefixesOf(lanPrefixes),
});

function prefixesOf(texts: readonly string[]): Prefix[] {
  const known = texts.slice(0, MAX_PREFIXES).map((text) => (text.length > 64 ? undefined : parsePrefix(text)));
  return [...new Set(known.filter((prefix) => prefix !== undefined))];
}
