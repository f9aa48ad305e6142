import { formatDuration } from '../../ui/format.js';
import { type Part, textsOf } from './parts.js';

const LABELS: Readonly<Record<string, string>> = {
  name: 'name',
  mtu: 'MTU',
  pools: 'pools',
  role: 'role',
  tags: 'tags',
  endpoint: 'endpoint',
  listenPort: 'listen port',
  addresses: 'addresses',
  publicKey: 'public key',
  settings: 'defaults of files',
  offlineToleranceMs: 'offline tolerance',
  keyExpiryMs: 'key expiry',
  keyRotationMs: 'key rotation',
  ephemeralAfterMs: 'absence of ephemeral nodes',
};
/** Said elsewhere, or a consequence of the rest. */
const HIDDEN = new Set(['replaces', 'interruption', 'previousKey']);

/** `: MTU to 1380, tags to web, db` of the details of an update, which hold what it is now. */
export function changesOf(details: Readonly<Record<string, unknown>>, of: 'node' | 'network'): Part[] {
  const changes = Object.entries(details).filter(
    // The log of a node names it in each entry, whether or not that was changed.
    ([key]) => !HIDDEN.has(key) && !(of === 'node' && key === 'name'),
  );
  const shown = changes.flatMap(([key, value], index): Part[] => {
    const label = LABELS[key] ?? key;
    const text = valueText(key, value, of);
    return [index === 0 ? ': ' : ', ', text === undefined ? label : `${label} `, ...(text === undefined ? [] : [text])];
  });
  return shown;
}

function valueText(key: string, value: unknown, of: 'node' | 'network'): Part | undefined {
  if (key === 'settings')
    return of === 'node'
      ? undefined
      : { is: 'code', text: Object.keys((value as object | null) ?? {}).join(', ') || 'none' };
  if (key.endsWith('Ms')) return typeof value === 'number' && value > 0 ? formatDuration(value) : 'none';
  if (value === null) return 'none';
  if (Array.isArray(value)) return { is: 'code', text: textsOf(value).join(', ') || 'none' };
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return { is: 'code', text: String(value) };
  return undefined;
}
