import { WarrenError } from '@warren/base';
import type { TokenRow } from '@warren/db';
import { formatJoinToken } from '@warren/identity';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { TokenFilter } from './lifecycle-schemas.js';
import { CreatedToken, CreateToken, IdParams, PageQuery, page, TokenView } from './schemas.js';
import { pageQuery, pageView, tokenView } from './views.js';

const tags = ['join tokens'];
const TokenQuery = PageQuery.extend(TokenFilter);

/** What `agent join --token` takes. */
export const joinTokenText = (context: RestContext, token: TokenRow, secret: Uint8Array): string =>
  formatJoinToken({ id: token.id, secret, addresses: context.about.agentAddresses, pin: context.pin });

export function tokenRoutes(api: Api, context: RestContext): void {
  const { store, now } = context;
  const view = (token: TokenRow): z.infer<typeof TokenView> => tokenView(token, new Date(now()));

  api.get(
    '/tokens',
    {
      config: { scope: 'tokens:read' },
      schema: { tags, querystring: TokenQuery, response: { 200: page(TokenView), ...problems } },
    },
    async (request) => {
      const { network, state } = request.query;
      const filter = {
        ...pageQuery(request.query),
        ...(network === undefined ? {} : { networkId: (await networkOf(store, network)).id }),
        ...(state === undefined ? {} : { state }),
      };
      return pageView(await store.listTokens(filter), view);
    },
  );

  api.post(
    '/tokens',
    {
      config: { scope: 'tokens:write' },
      schema: { tags, body: CreateToken, response: { 201: CreatedToken, ...problems } },
    },
    async (request, reply) => {
      const { network, name, role, tags: labels, ephemeral, approval, uses, maxUses = uses, expires } = request.body;
      const { token, secret } = await store.createToken(
        {
          networkId: (await networkOf(store, network)).id,
          ...(name === undefined ? {} : { name }),
          ...(role === undefined ? {} : { role }),
          tags: labels,
          ephemeral,
          approval,
          maxUses: maxUses === undefined ? 1 : maxUses,
          expiresAt: expires === null ? null : new Date(now() + parseDuration(expires)!),
        },
        request.actor,
      );
      return reply.code(201).send({ ...view(token), token: joinTokenText(context, token, secret) });
    },
  );

  api.get(
    '/tokens/:id',
    {
      config: { scope: 'tokens:read' },
      schema: { tags, params: IdParams, response: { 200: TokenView, ...problems } },
    },
    async (request) => {
      const { id } = request.params;
      const token = await store.findToken(id);
      if (!token) throw new WarrenError('not-found', `there is no token ${id}: list them with \`warren token list\``);
      return view(token);
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
