import type { SiteKind } from './site.js';

type Terms = Pick<SiteKind, 'mapping' | 'filtering'>;

/**
 * Whether two sites can be crossed by plain simultaneous opening: always, if either filters endpoint-independently or not at
 * all. Otherwise not if both mappings depend on the destination, and not if one does and the other side filters by
 * address and port.
 */
export function crossable(a: Terms, b: Terms): boolean {
  if (isOpen(a) || isOpen(b)) return true;
  if (depends(a) && depends(b)) return false;
  if (depends(a)) return b.filtering !== 'address-and-port-dependent';
  if (depends(b)) return a.filtering !== 'address-and-port-dependent';
  return true;
}

const isOpen = ({ filtering }: Terms): boolean => filtering === 'none' || filtering === 'endpoint-independent';
const depends = ({ mapping }: Terms): boolean =>
  mapping === 'address-dependent' || mapping === 'address-and-port-dependent';
