import type { TokenRow } from '@warren/db';
import { formatJoinToken } from '@warren/identity';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { CreatedToken, CreateToken, IdParams, NodeQuery, PageQuery, page, TokenView } from './schemas.js';
import { pageQuery, pageView, tokenView } from './views.js';

const tags = ['join tokens'];
const TokenQuery = PageQuery.extend({ network: NodeQuery.shape.network });

/** What `agent join --token` takes. */
export const joinTokenText = (context: RestContext, token: TokenRow, secret: Uint8Array): string =>
  formatJoinToken({ id: token.id, secret, addresses: context.about.agentAddresses, pin: context.pin });

export function tokenRoutes(api: Api, context: RestContext): void {
  const { store, now } = context;

  api.get(
    '/tokens',
    {
      config: { scope: 'tokens:read' },
      schema: { tags, querystring: TokenQuery, response: { 200: page(TokenView), ...problems } },
    },
    async (request) => {
      const { network } = request.query;
      const filter = network === undefined ? {} : { networkId: (await networkOf(store, network)).id };
      return pageView(await store.listTokens({ ...pageQuery(request.query), ...filter }), tokenView);
    },
  );

  api.post(
    '/tokens',
    {
      config: { scope: 'tokens:write' },
      schema: { tags, body: CreateToken, response: { 201: CreatedToken, ...problems } },
    },
    async (request, reply) => {
      const { network, role, tags: labels, ephemeral, uses, maxUses = uses, expires } = request.body;
      const { token, secret } = await store.createToken(
        {
          networkId: (await networkOf(store, network)).id,
          ...(role === undefined ? {} : { role }),
          tags: labels,
          ephemeral,
          maxUses: maxUses === undefined ? 1 : maxUses,
          expiresAt: expires === null ? null : new Date(now() + parseDuration(expires)!),
        },
        request.actor,
      );
      return reply.code(201).send({ ...tokenView(token), token: joinTokenText(context, token, secret) });
    },
  );

  api.delete(
    '/tokens/:id',
    { config: { scope: 'tokens:write' }, schema: { tags, params: IdParams, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await store.revokeToken(request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );
}
