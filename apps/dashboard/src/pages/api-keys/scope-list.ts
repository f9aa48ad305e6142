import type { operations } from '@warren/client';

export type Scope = NonNullable<
  operations['createApiKey']['requestBody']['content']['application/json']['scopes']
>[number];

type ReadScope = Extract<Scope, `${string}:read`>;

interface Area {
  readonly label: string;
  readonly hint: string;
  readonly read: ReadScope;
  /** Absent: it can only be read. */
  readonly write?: Scope;
}

const TEXTS: Readonly<Record<ReadScope, readonly [label: string, hint: string, write?: Scope]>> = {
  'networks:read': ['Networks', 'Settings, addresses, reservations, import.', 'networks:write'],
  'nodes:read': ['Nodes', 'Members, paths, traffic. Change: add, approve, revoke, delete.', 'nodes:write'],
  'tokens:read': ['Join tokens', 'Change: let new nodes join.', 'tokens:write'],
  'apikeys:read': ['API keys', 'Change: make keys that may do no more than this one.', 'apikeys:write'],
  'sessions:read': ['Sessions', 'Who is signed in. Change: end sessions.', 'sessions:write'],
  'signals:read': ['Signal servers', 'Change: enrol and remove servers.', 'signals:write'],
  'configs:read': ['Configuration files', 'wg0.conf and peers.conf of all nodes, preshared keys included.'],
  'events:read': ['Events', 'What happens, as it happens.'],
  'audit:read': ['Log of changes', 'Who changed what.'],
  'status:read': ['Status', 'Version, health, numbers.'],
};

/** What a key may be given, by what it is about. */
export const AREAS: readonly Area[] = Object.entries(TEXTS).map(([read, [label, hint, write]]) => ({
  ...{ label, hint, read: read as ReadScope },
  ...(write && { write }),
}));

/** Whether a scope is held, itself or by one that implies it. */
export function holds(scopes: ReadonlySet<string>, scope: Scope): boolean {
  return scopes.has('admin') || scopes.has(scope) || scopes.has(scope.replace(/:read$/, ':write'));
}

/** Without those that others of them imply. */
export const shortest = (scopes: ReadonlySet<Scope>): Scope[] =>
  scopes.has('admin')
    ? ['admin']
    : [...scopes].filter(
        (scope) => !scope.endsWith(':read') || !scopes.has(scope.replace(/:read$/, ':write') as Scope),
      );
