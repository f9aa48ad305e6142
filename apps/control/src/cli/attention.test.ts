import type { Schemas } from '@warren/client';
import { describe, expect, it } from 'vitest';
import { concerns } from './attention.js';
import { Screen } from './screen.js';

const NOW = Date.parse('2026-01-10T12:00:00Z');
const at = (days: number): string => new Date(NOW + days * 86_400_000).toISOString();
type Node = Schemas['Node'] & { lanClashes?: string[] };
const FINE: Node = {
  ...{ id: 'id', networkId: 'n', network: 'default', name: 'laptop', role: 'client', kind: 'agent', status: 'active' },
  ...{ publicKey: 'k', addresses: [], endpoint: null, listenPort: null, online: true, unavailable: false, tags: [] },
  ...{ ephemeral: false, settings: {}, keyChangedAt: at(-1), keyExpiresAt: null, overlapUntil: null },
  ...{ disabledAt: null, cloneNoticedAt: null, configKeyCreatedAt: null, createdAt: at(-1), revokedAt: null },
} as unknown as Node;
const KEY: Schemas['ApiKey'] = {
  id: 'k1',
  name: 'ci',
  scopes: [],
  expiresAt: null,
  createdAt: at(-9),
  lastUsedAt: null,
};

const said = (nodes: readonly Partial<Node>[], keys: readonly Partial<Schemas['ApiKey']>[] = []): string[] =>
  concerns(
    nodes.map((node) => ({ ...FINE, ...node })),
    keys.map((key) => ({ ...KEY, ...key })),
    new Screen({}, NOW),
  ).map(({ text }) => text);

describe('what needs attention', () => {
  it('is nothing while all is well', () => {
    expect(
      said([{}, { online: false }, { keyExpiresAt: at(30) }, { status: 'revoked' }], [{}, { expiresAt: at(30) }]),
    ).toEqual([]);
  });

  it.each<[string, Partial<Node>, string]>([
    [
      'a dead bounce',
      { role: 'bounce', unavailable: true },
      'bounce laptop not available: no member is homed there until it is back',
    ],
    [
      'a clone',
      { cloneNoticedAt: at(-1) },
      'a copy of laptop (1d ago) was started elsewhere: `warren node show NAME`, then `clone-seen` or `revoke`',
    ],
    [
      'a LAN clash',
      { lanClashes: ['10.44.0.0/24'] },
      'the LAN of laptop (10.44.0.0/24) overlaps its network: `warren network renumber`, or another LAN',
    ],
    [
      'an expired key',
      { status: 'expired', keyExpiresAt: at(-1) },
      'the key of laptop has expired: `warren node extend NAME`',
    ],
    [
      'a vanilla member without a key',
      { status: 'pending', kind: 'vanilla', publicKey: null },
      'laptop (1d ago) has no key yet: `warren node set NAME --public-key KEY`',
    ],
    ['somebody who waits', { status: 'pending' }, 'laptop (1d ago) waits for approval: `warren node approve NAME`'],
    [
      'a key that expires soon',
      { keyExpiresAt: at(2) },
      'the key of laptop (in 2d) expires soon: `warren node extend NAME`',
    ],
  ])('is %s', (_, node, text) => {
    expect(said([node])).toEqual([text]);
  });

  it('is not a disabled node, which waits because somebody wanted it to', () => {
    expect(said([{ status: 'pending', disabledAt: at(-1) }])).toEqual([]);
  });

  it('is an API key in its last days, not one that has ended', () => {
    expect(said([], [{ expiresAt: at(1) }, { expiresAt: at(-1) }])).toEqual([
      'the API key ci (k1) expires in 1d: `warren apikey create`',
    ]);
  });

  it('names a few, with their networks where there are several, and counts the rest', () => {
    const waiting = Array.from({ length: 7 }, (_, i) => ({
      ...{ status: 'pending' as const, name: `n${i}`, network: i === 0 ? 'lab' : 'default', createdAt: at(-2) },
    }));
    expect(said(waiting)).toEqual([
      'n0 in lab (2d ago), n1 in default (2d ago), n2 in default (2d ago), n3 in default (2d ago), n4 in default (2d ago) and 2 more wait for approval: `warren node approve NAME`',
    ]);
  });
});
