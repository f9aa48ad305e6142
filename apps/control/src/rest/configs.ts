import { WarrenError } from '@warren/base';
import { peersOf, renderNetworkPeersConf, renderPeersConf, renderWg0Conf } from '@warren/topology';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { NetworkHub } from '../hub/network-hub.js';
import { type Api, networkOf, nodeOf, problems, type RestContext } from './context.js';
import { etagOf, matches } from './preconditions.js';
import { ConfigQuery, IdParams } from './schemas.js';

const tags = ['configuration files'];
const text = { 200: { description: 'wg-quick text', content: { 'text/plain': { schema: z.string() } } }, ...problems };

/** Files for hosts that run an official WireGuard: `curl` and `wg` are enough to follow them. */
export function configRoutes(api: Api, context: RestContext): void {
  const { store, hubs } = context;
  const schema = { tags, params: IdParams, querystring: ConfigQuery };

  api.get(
    '/nodes/:id/wg0.conf',
    { config: { scope: 'configs:read' }, schema: { ...schema, response: text } },
    async (request, reply) => {
      const { id, networkId } = await nodeOf(store, request.params.id, request.query.network);
      return sendFile(request, reply, await hubs.current(networkId), ({ version }) => {
        const { network, facts } = version.decided;
        const node = network.nodes.get(id) ?? notActive();
        return renderWg0Conf(node, peersOf(network, facts, id), { cidrs: network.cidrs, mtu: network.mtu });
      });
    },
  );

  api.get(
    '/nodes/:id/peers.conf',
    { config: { scope: 'configs:read' }, schema: { ...schema, response: text } },
    async (request, reply) => {
      const { id, networkId } = await nodeOf(store, request.params.id, request.query.network);
      return sendFile(request, reply, await hubs.current(networkId), ({ version }) => {
        const { network, facts } = version.decided;
        if (!network.nodes.has(id)) notActive();
        return renderPeersConf(peersOf(network, facts, id));
      });
    },
  );

  api.get(
    '/networks/:id/peers.conf',
    { config: { scope: 'configs:read' }, schema: { ...schema, response: text } },
    async (request, reply) => {
      const { id } = await networkOf(store, request.params.id);
      return sendFile(request, reply, await hubs.current(id), ({ version }) =>
        renderNetworkPeersConf(version.decided.network, version.decided.facts),
      );
    },
  );

  api.get(
    '/nodes/:id/qr.svg',
    { config: { scope: 'configs:read' }, schema: { ...schema, response: problems } },
    async (request) => {
      const { name } = await nodeOf(store, request.params.id, request.query.network);
      throw new WarrenError(
        'private-key-not-held',
        `a QR code holds the private key of ${name}, which only its owner has: make the code there, from wg0.conf`,
      );
    },
  );
}

/** Answers with the file; with `?wait`, once it differs from what the caller has, or 304 when the time is over. */
async function sendFile(
  request: FastifyRequest<{ Querystring: z.infer<typeof ConfigQuery> }>,
  reply: FastifyReply,
  hub: NetworkHub,
  render: (hub: NetworkHub) => string,
): Promise<FastifyReply> {
  const held = request.headers['if-none-match'];
  const patience = startPatience(request.query.wait ?? 0, reply, request.server.closing);
  let body = render(hub);
  while (matches(held, etagOf(body)) && !patience.signal.aborted) {
    await hub.nextChange(patience.signal);
    body = render(hub);
  }
  patience.end();
  return reply.header('content-type', 'text/plain; charset=utf-8').header('cache-control', 'no-cache').send(body);
}

/**
 * Aborts after `seconds`, when the caller hangs up, or when the server closes. Not `AbortSignal.any`: Node 20 loses its
 * listeners when the garbage collector comes by, and then nobody is ever answered.
 */
function startPatience(
  seconds: number,
  reply: FastifyReply,
  closing: AbortSignal,
): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (seconds === 0 || closing.aborted) abort();
  const timer = setTimeout(abort, seconds * 1000);
  reply.raw.once('close', abort);
  closing.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      reply.raw.off('close', abort);
      closing.removeEventListener('abort', abort);
    },
  };
}

function notActive(): never {
  throw new WarrenError(
    'node-not-active',
    'only an active node has a configuration: this one was revoked, or has expired',
  );
}
