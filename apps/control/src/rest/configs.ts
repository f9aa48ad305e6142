import { type NetworkId, WarrenError } from '@warren/base';
import type { NodeRow, Store } from '@warren/db';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { NetworkHub } from '../hub/network-hub.js';
import type { Version } from '../hub/version.js';
import { activeNodeFile, type ConfFile, networkFile, waitingNodeFile } from './conf-files.js';
import { type Api, networkOf, nodeOf, problems, type RestContext } from './context.js';
import { matches } from './preconditions.js';
import { ConfigQuery, IdParams } from './schemas.js';

const tags = ['configuration files'];
const text = { 200: { description: 'wg-quick text', content: { 'text/plain': { schema: z.string() } } }, ...problems };

/** Files for hosts that run an official WireGuard: `curl` and `wg` are enough to follow them. */
export function configRoutes(api: Api, context: RestContext): void {
  const { store, hubs } = context;
  const schema = { tags, params: IdParams, querystring: ConfigQuery };
  const config = { scope: 'configs:read', configKey: true } as const;

  for (const kind of ['wg0', 'peers'] as const) {
    api.get(`/nodes/:id/${kind}.conf`, { config, schema: { ...schema, response: text } }, async (request, reply) => {
      const { id, networkId } = await ownNode(context, request);
      return sendFile(context, request, reply, await hubs.current(networkId), async ({ version }) => {
        return activeNodeFile(version, kind, id) ?? waitingNodeFile(version, kind, await store.findNode(id));
      });
    });
  }

  api.get('/networks/:id/peers.conf', { config, schema: { ...schema, response: text } }, async (request, reply) => {
    const reader = request.grant?.nodeId;
    const hub = await hubs.current(await ownNetwork(context, request));
    return sendFile(context, request, reply, hub, async ({ version }) => {
      // Who reads it by a node's config key must still be one whose own file there is.
      if (reader && !version.decided.network.nodes.has(reader))
        waitingNodeFile(version, 'peers', await store.findNode(reader));
      return networkFile(version);
    });
  });

  api.get('/nodes/:id/qr.svg', { config, schema: { ...schema, response: problems } }, async (request) => {
    const { name } = await ownNode(context, request);
    throw new WarrenError(
      'private-key-not-held',
      `a QR code holds the private key of ${name}, which only its owner has: make the code there, with \`warren node conf ${name} --private-key-file FILE --qr\``,
    );
  });
}

type ConfigRequest = FastifyRequest<{
  Params: z.infer<typeof IdParams>;
  Querystring: z.infer<typeof ConfigQuery>;
}>;

/** The node whose file is asked for; with a config key it can only be the key's own, and nothing is said of others. */
async function ownNode({ store }: RestContext, request: ConfigRequest): Promise<NodeRow> {
  const { id } = request.params;
  const own = request.grant?.node;
  if (!own) return nodeOf(store, id, request.query.network);
  if (id !== own.id && id !== own.name) throw notItsOwn();
  return own;
}

/** The same for a network: a config key reads the file of the network that its node is in. */
async function ownNetwork({ store }: RestContext, request: ConfigRequest): Promise<NetworkId> {
  const { id } = request.params;
  const own = request.grant?.node;
  if (!own) return (await networkOf(store, id)).id;
  if (id !== own.networkId && (await store.findNetwork(id))?.id !== own.networkId) throw notItsOwn();
  return own.networkId;
}

const notItsOwn = (): WarrenError =>
  new WarrenError('scope-missing', 'a config key reads the configuration files of its own node, nothing else');

/** Answers with the file; with `?wait`, once it differs from what the caller has, or 304 when the time is over. */
async function sendFile(
  { store }: RestContext,
  request: ConfigRequest,
  reply: FastifyReply,
  hub: NetworkHub,
  render: (hub: NetworkHub) => Promise<ConfFile>,
): Promise<FastifyReply> {
  const held = request.headers['if-none-match'];
  const patience = startPatience(request.query.wait ?? 0, reply, request.server.closing);
  let waited = false;
  try {
    let { version } = hub;
    let file = await render(hub);
    while (matches(held, file.etag) && !patience.signal.aborted) {
      // Nothing else may come between: a change while the file was rendered must not be waited for.
      if (version === hub.version) await hub.nextChange(patience.signal);
      waited = true;
      version = hub.version;
      file = await render(hub);
    }
    if (waited) await checkStillGood(store, request, hub.version);
    return reply
      .header('content-type', 'text/plain; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(file.body);
  } finally {
    patience.end();
  }
}

/** Who waited with a key that was taken away or expired meanwhile gets nothing more. @throws WarrenError `unauthorized` */
async function checkStillGood(store: Store, request: ConfigRequest, version: Version): Promise<void> {
  const reader = request.grant?.node;
  const isGood = reader
    ? (await store.configKeySince(reader.id))?.getTime() === reader.configKeyCreatedAt?.getTime()
    : await stillGranted(request, version);
  if (!isGood) throw new WarrenError('unauthorized', 'this key was taken away meanwhile');
}

const granted = new WeakMap<Version, Map<string, Promise<boolean>>>();

/** A thousand who waited with one API key for the same change are one question about it, and one of its requests. */
function stillGranted(request: ConfigRequest, version: Version): Promise<boolean> {
  const asked = granted.get(version) ?? new Map<string, Promise<boolean>>();
  granted.set(version, asked);
  const answer = asked.get(request.actor) ?? request.stillGranted();
  asked.set(request.actor, answer);
  return answer;
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
