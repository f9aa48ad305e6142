import type { Schemas } from '@warren/client';
import type { Cell, Column, Tone } from './screen.js';

type Node = Schemas['Node'];
const TONES: Readonly<Record<string, Tone>> = { pending: 'warning', expired: 'bad', revoked: 'dim' };

/** As `warren node list` shows nodes. */
export const NODE_COLUMNS: readonly Column<Node>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'NETWORK', cell: ({ network }) => network, fit: 'cut' },
  { title: 'ROLE', cell: ({ role }) => role, fit: 'drop' },
  { title: 'STATUS', cell: statusCell },
  { title: 'ONLINE', cell: onlineCell },
  { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(', '), fit: 'cut' },
  { title: 'ID', cell: ({ id }) => id, fit: 'drop' },
];

/** A disabled node is pending again; that it was active once is worth knowing. */
function statusCell({ status, disabledAt }: Node): Cell {
  return { text: disabledAt && status === 'pending' ? 'disabled' : status, tone: TONES[status] };
}

function onlineCell({ online, unavailable }: Node): Cell {
  if (unavailable) return { text: 'unavailable', tone: 'bad' };
  return online === null ? '-' : online ? { text: 'yes', tone: 'good' } : 'no';
}
