import type { NatStatus } from '../daemon/status-types.js';

/** Mapping and filtering in a line. */
export function natText({ mapping, filtering }: Pick<NatStatus, 'mapping' | 'filtering'>): string {
  if (mapping === 'unknown' && filtering === 'unknown') return 'unknown';
  if (mapping === 'none') return filtering === 'none' ? 'none' : `none, but filtering is ${filtering}`;
  return `mapping ${mapping}, filtering ${filtering}`;
}
