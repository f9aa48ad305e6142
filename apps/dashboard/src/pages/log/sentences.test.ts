import { expect, it } from 'vitest';
import { actorText } from '../../shell/actor.js';
import type { Part } from './parts.js';
import { ACTIONS, type AuditEntry, sentenceOf } from './sentences.js';

const entry = (action: string, details: AuditEntry['details'] = {}, subject = '0123456789'): AuditEntry => ({
  ...{ id: '1', at: '2026-01-01T00:00:00Z', actor: 'user:admin', action, networkId: null, subject, details },
});

const say = (of: AuditEntry): string =>
  sentenceOf(of)
    .map((part: Part) => {
      if (typeof part === 'string') return part;
      if (part.is === 'actor') return 'admin';
      if (part.is === 'code') return part.text;
      return part.name ?? ('id' in part ? part.id : '');
    })
    .join('');

it('says who did what to whom', () => {
  expect(say(entry('node.revoke', { name: 'laptop' }))).toBe('admin revoked laptop: every peer drops it');
  expect(say(entry('node.join', { name: 'laptop', role: 'client', addresses: ['10.44.0.3'] }))).toBe(
    'laptop joined as client at 10.44.0.3, let in by admin',
  );
  expect(say(entry('network.create', { cidrs: ['10.1.0.0/16'] }, 'office'))).toBe(
    'admin made the network office 10.1.0.0/16',
  );
  expect(
    say(
      entry(
        'network.renumber',
        { from: { cidrs: ['10.1.0.0/16'] }, to: { cidrs: ['10.2.0.0/16'] }, nodes: 3 },
        'office',
      ),
    ),
  ).toBe('admin renumbered office from 10.1.0.0/16 to 10.2.0.0/16 (3 nodes)');
});

it('tells a new name of a node from other changes of it', () => {
  expect(say(entry('node.update', { name: 'tablet' }))).toBe('admin gave a node the name tablet');
  expect(say(entry('node.update', { name: 'tablet', tags: ['web', 'db'], role: 'direct' }))).toBe(
    'admin changed tablet: tags web, db, role direct',
  );
});

it('says lengths of time of a network as such', () => {
  const details = { mtu: 1380, keyExpiryMs: 7_776_000_000, keyRotationMs: null, settings: { dns: ['10.1.0.1'] } };
  expect(say(entry('network.update', details, 'office'))).toBe(
    'admin changed the network office: MTU 1380, key expiry 90 days, key rotation none, defaults of files dns',
  );
});

it('names an action that it does not know, and believes no detail', () => {
  expect(say(entry('moon.landing', {}, 'apollo'))).toBe('admin: moon.landing apollo');
  for (const action of ACTIONS)
    for (const details of [
      {},
      { name: 7, addresses: 'x', cidrs: [null], from: 1, to: [], nodes: 'many', expiresAt: 'x' },
    ])
      expect(say(entry(action, details)), action).not.toMatch(/undefined|null|NaN|Invalid|\[object/);
});

it('says who an actor is', () => {
  const nameOf = (_kind: 'apikey', id: string) => (id === 'k1' ? 'backup' : undefined);
  expect(actorText('apikey:k1', nameOf)).toBe('API key “backup”');
  expect(actorText('apikey:0123456789', nameOf)).toBe('API key “01234567”');
  expect(actorText('user:admin', nameOf)).toBe('admin');
  expect(actorText('local', nameOf)).toBe('The local warren command');
});
