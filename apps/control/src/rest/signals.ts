import type { SignalTokenRow } from '@warren/db';
import { formatJoinToken } from '@warren/identity';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { type Api, found, problems, type RestContext } from './context.js';
import { CreatedSignalToken, CreateSignalToken, IdParams, page, SignalServerView, SignalTokenView } from './schemas.js';
import { signalServerView, signalTokenView } from './views.js';

const tags = ['signal servers'];

/** What `warren signal --token` takes: as a join token, so that it says which control plane is the right one. */
const tokenText = (context: RestContext, token: SignalTokenRow, secret: Uint8Array): string =>
  formatJoinToken({ id: token.id, secret, addresses: context.about.agentAddresses, pin: context.pin });

/** Signal servers that agents are told of, bounces left out, and tokens for further ones. Never many: one page. */
export function signalRoutes(api: Api, context: RestContext): void {
  const { store, signals, now } = context;

  api.get(
    '/signal-servers',
    { config: { scope: 'signals:read' }, schema: { tags, response: { 200: page(SignalServerView), ...problems } } },
    async () => ({ items: (await signals.rows()).map(signalServerView), nextCursor: null }),
  );

  api.get(
    '/signal-servers/:id',
    {
      config: { scope: 'signals:read' },
      schema: { tags, params: IdParams, response: { 200: SignalServerView, ...problems } },
    },
    async (request) => {
      const { id } = request.params;
      return signalServerView(
        found(
          (await signals.rows()).find((row) => row.id === id),
          `signal server ${id}`,
          'signal',
        ),
      );
    },
  );

  api.delete(
    '/signal-servers/:id',
    {
      config: { scope: 'signals:write' },
      schema: { tags, params: IdParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await store.deleteSignalServer(request.params.id, request.actor);
      await signals.refresh();
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/signal-tokens',
    { config: { scope: 'signals:read' }, schema: { tags, response: { 200: page(SignalTokenView), ...problems } } },
    async () => ({ items: (await store.listSignalTokens()).map(signalTokenView), nextCursor: null }),
  );

  api.post(
    '/signal-tokens',
    {
      config: { scope: 'signals:write' },
      schema: { tags, body: CreateSignalToken, response: { 201: CreatedSignalToken, ...problems } },
    },
    async (request, reply) => {
      const { region, expires } = request.body;
      const expiresAt = expires === null ? null : new Date(now() + parseDuration(expires)!);
      const { token, secret } = await store.createSignalToken({ region, expiresAt }, request.actor);
      return reply.code(201).send({ ...signalTokenView(token), token: tokenText(context, token, secret) });
    },
  );

  api.get(
    '/signal-tokens/:id',
    {
      config: { scope: 'signals:read' },
      schema: { tags, params: IdParams, response: { 200: SignalTokenView, ...problems } },
    },
    async (request) => {
      const { id } = request.params;
      const row = (await store.listSignalTokens()).find((token) => token.id === id);
      return signalTokenView(found(row, `signal token ${id}`, 'signal'));
    },
  );

  api.delete(
    '/signal-tokens/:id',
    {
      config: { scope: 'signals:write' },
      schema: { tags, params: IdParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await store.revokeSignalToken(request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );
}
