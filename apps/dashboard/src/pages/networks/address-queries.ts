import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { api, take } from '../../api/client.js';
import { all } from '../../api/queries.js';

export type AddressState = Schemas['Address']['state'];
const PAGE = 100;

export const addressSummaryQuery = (id: string) =>
  queryOptions({
    queryKey: ['addresses', id, 'summary'],
    queryFn: async () =>
      (await take(api.GET('/api/v1/networks/{id}/addresses', { params: { path: { id }, query: { limit: 1 } } })))
        .summary,
  });

export const addressesQuery = (id: string, state: AddressState | undefined) =>
  infiniteQueryOptions({
    queryKey: ['addresses', id, 'list', state ?? 'all'],
    queryFn: ({ pageParam }) =>
      take(
        api.GET('/api/v1/networks/{id}/addresses', {
          params: {
            path: { id },
            query: { limit: PAGE, ...(state && { state }), ...(pageParam !== undefined && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });

export const reservationsQuery = (id: string) =>
  queryOptions({
    queryKey: ['addresses', id, 'reservations'],
    queryFn: () =>
      all((query) => take(api.GET('/api/v1/networks/{id}/reservations', { params: { path: { id }, query } }))),
  });
