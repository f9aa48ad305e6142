import { queryOptions } from '@tanstack/react-query';
import { pages, type Schemas } from '@warren/client';
import { api, take } from './client.js';
import { takeVersioned } from './versioned.js';

/** Lists are asked for whole, in the largest pages that there are. */
const LIMIT = 500;

export async function all<T>(
  ask: (page: { limit: number; cursor?: string }) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages((cursor) => ask({ limit: LIMIT, ...(cursor === undefined ? {} : { cursor }) })))
    items.push(item);
  return items;
}

export type Network = Schemas['Network'];
export type Node = Schemas['Node'];

/** Keys begin with the family that an event names (live.ts). */
export const networksQuery = queryOptions({
  queryKey: ['networks'],
  queryFn: () => all((query) => take(api.GET('/api/v1/networks', { params: { query } }))),
});

/** With the tag by which a change says which state it means. */
export const networkQuery = (id: string) =>
  queryOptions({
    queryKey: ['networks', 'one', id],
    queryFn: () => takeVersioned(api.GET('/api/v1/networks/{id}', { params: { path: { id } } })),
  });

export const nodesQuery = (network: string) =>
  queryOptions({
    queryKey: ['nodes', network],
    queryFn: () => all((query) => take(api.GET('/api/v1/nodes', { params: { query: { ...query, network } } }))),
  });

export const nodeQuery = (id: string) =>
  queryOptions({
    queryKey: ['nodes', 'one', id],
    queryFn: () => take(api.GET('/api/v1/nodes/{id}', { params: { path: { id } } })),
  });

export const tokensQuery = (network: string) =>
  queryOptions({
    queryKey: ['tokens', network],
    queryFn: () => all((query) => take(api.GET('/api/v1/tokens', { params: { query: { ...query, network } } }))),
  });

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: () => take(api.GET('/api/v1/status')),
});

export const apiKeysQuery = queryOptions({
  queryKey: ['apikeys'],
  queryFn: () => all((query) => take(api.GET('/api/v1/apikeys', { params: { query } }))),
});
