import { queryOptions } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { api, take } from './client.js';

export type Token = Schemas['Token'];
/** With the text for `agent join --token`, which no other answer has. */
export type CreatedToken = Schemas['CreatedToken'];
export type TokenRequest = NonNullable<Parameters<typeof createToken>[0]>;

/** @throws WarrenProblem */
export const createToken = (body: {
  network: string;
  name?: string;
  role?: 'client' | 'direct' | 'bounce';
  tags?: string[];
  ephemeral?: boolean;
  approval?: boolean;
  uses?: number | null;
  expires?: string | null;
}): Promise<CreatedToken> => take(api.POST('/api/v1/tokens', { body: { ...NONE, ...body } }));

const NONE = { tags: [] as string[], ephemeral: false, approval: false, expires: '1h' as string | null };

/** @throws WarrenProblem */
export const revokeToken = (id: string) => take(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } }));

/** @throws WarrenProblem */
export const approveNode = (id: string) => take(api.POST('/api/v1/nodes/{id}/approve', { params: { path: { id } } }));

/** @throws WarrenProblem */
export const revokeNode = (id: string) => take(api.POST('/api/v1/nodes/{id}/revoke', { params: { path: { id } } }));

export const tokenQuery = (id: string) =>
  queryOptions({
    queryKey: ['tokens', 'one', id],
    queryFn: () => take(api.GET('/api/v1/tokens/{id}', { params: { path: { id } } })),
  });

/** How many of the newest are asked for. */
const MOST_JOINS = 50;
const JOINED = new Set(['node.join', 'node.rejoin', 'node.take-over']);

/** Ids of nodes that came in by a token, newest first. The log of changes knows, whenever it was and whoever looked. */
export const joinsQuery = (token: string) =>
  queryOptions({
    queryKey: ['audit', 'joins', token],
    queryFn: async () => {
      const query = { actor: `token:${token}`, limit: MOST_JOINS };
      const { items } = await take(api.GET('/api/v1/audit', { params: { query } }));
      return [...new Set(items.filter(({ action }) => JOINED.has(action)).map(({ subject }) => subject))];
    },
  });

/** What has become of a token by now: nobody tells when the time of one is over. */
export const tokenState = ({ state, expiresAt }: Token, now: number): Token['state'] =>
  state === 'usable' && expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : state;
