import { expect, it } from 'vitest';
import { holds, type Scope, shortest } from './scope-list.js';

const set = (...scopes: Scope[]): ReadonlySet<Scope> => new Set(scopes);

it('holds what it was given and what that implies', () => {
  expect(holds(set('nodes:write'), 'nodes:read')).toBe(true);
  expect(holds(set('nodes:read'), 'nodes:write')).toBe(false);
  expect(holds(set('admin'), 'status:read')).toBe(true);
  expect(holds(set('nodes:write'), 'tokens:read')).toBe(false);
});

it('asks for no scope that another one implies', () => {
  expect(shortest(set('nodes:read', 'nodes:write', 'status:read'))).toEqual(['nodes:write', 'status:read']);
  expect(shortest(set('admin', 'nodes:read'))).toEqual(['admin']);
});
