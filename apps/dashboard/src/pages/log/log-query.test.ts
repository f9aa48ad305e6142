import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from './sentences.js';

/** The client reads where it is when it is loaded. */
let log: typeof import('./log-query.js');
beforeAll(async () => {
  vi.stubGlobal('window', { location: { origin: 'http://localhost' } });
  log = await import('./log-query.js');
});

const ENTRY: AuditEntry = {
  ...{ id: '7', at: '2026-01-01T00:00:00Z', actor: 'local', action: 'node.revoke', networkId: 'n1', subject: 's1' },
  details: { name: 'laptop' },
};
const EVENT = { type: 'node.revoke', data: { ...ENTRY, auditId: '7', id: undefined, action: undefined } };

describe('entries that come by events', () => {
  it('are what the log will have', () => {
    expect(log.entryOf(EVENT)).toEqual(ENTRY);
  });

  it('are none where the event is in no log or is not whole', () => {
    expect(log.entryOf({ type: 'node.online', data: { ...EVENT.data, auditId: undefined } })).toBeUndefined();
    expect(log.entryOf({ type: 'x', data: { auditId: '1' } })).toBeUndefined();
    expect(log.entryOf({ type: 'x', data: null })).toBeUndefined();
  });

  it('pass the filters that the control plane would let them pass', () => {
    expect(log.passes(ENTRY, {}, undefined)).toBe(true);
    expect(log.passes(ENTRY, { action: 'node.', actor: 'local', subject: 's1', network: 'office' }, 'n1')).toBe(true);
    expect(log.passes(ENTRY, { action: 'node.join' }, undefined)).toBe(false);
    expect(log.passes(ENTRY, { actor: 'control' }, undefined)).toBe(false);
    expect(log.passes(ENTRY, { network: 'lab' }, 'n2')).toBe(false);
  });

  it('are put in front once', () => {
    const data = { pages: [{ items: [{ ...ENTRY, id: '6' }], nextCursor: null }], pageParams: [undefined] };
    const once = log.withEntry(data, ENTRY);
    expect(once?.pages[0]?.items.map(({ id }) => id)).toEqual(['7', '6']);
    expect(log.withEntry(once, ENTRY)).toBe(once);
    expect(log.withEntry(undefined, ENTRY)).toBeUndefined();
  });
});

it('finds an entry by its sentence and by its details', () => {
  const text = log.searchText(ENTRY, () => undefined);
  for (const words of ['revoked laptop', 'node.revoke', 's1', 'the local warren command'])
    expect(text).toContain(words);
});
