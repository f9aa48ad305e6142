import { Readable } from 'node:stream';
import { WarrenError } from '@warren/base';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { eventStream } from '../events/event-stream.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { EventQuery } from './event-schemas.js';
import { covers } from './scopes.js';

/** Streams that one process feeds, and that one caller may have; each is an open connection. */
const MOST_STREAMS = 500;
const MOST_PER_CALLER = 50;
/** A reader that takes nothing for so long is cut; looked at so often. Milliseconds. */
const LONGEST_STALL = 60_000;
const STALL_INTERVAL = 5_000;

const description =
  'Server-sent events. Each entry of the audit log is one: `event` is its action, such as `node.join`, `data` is JSON ' +
  '(type, networkId, subject, actor, at, details, auditId), `id` is where to go on with `Last-Event-ID`. `reset` comes ' +
  'first when that cannot be: read anew what you keep. `node.online` and `node.offline` have no id: they tell of ' +
  'agents that are connected to the process that answers, as they come and go, and are not told again. With ' +
  '`telemetry=true` also `topology.links` (networkId, gone: pairs of ids that are no links any more, links), ' +
  '`topology.nodes` (networkId, nodes) with what changed in the topology, at most every 500 ms and without id; ' +
  '`topology.lapsed` in their place when the reader was too slow for them: read the topology anew, as after each break.';
const response = {
  200: { description, content: { 'text/event-stream': { schema: z.string() } } },
  ...problems,
};

/** `GET /events`: what happens, as it happens. */
export function eventRoutes(api: Api, context: RestContext): void {
  const streams = new Map<string, number>();
  api.get(
    '/events',
    {
      config: { scope: 'events:read' },
      exposeHeadRoute: false,
      schema: { tags: ['events'], querystring: EventQuery, response },
    },
    async (request, reply) => {
      const { network, telemetry } = request.query;
      if (telemetry === 'true' && !covers(request.grant?.scopes ?? [], 'nodes:read'))
        throw new WarrenError('scope-missing', 'telemetry=true needs the scope nodes:read, too');
      const networkId = network === undefined ? undefined : (await networkOf(context.store, network)).id;
      const tail = await context.events.open();
      const given = request.query.lastEventId ?? request.headers['last-event-id'];
      const from = typeof given === 'string' && given !== '' ? given : undefined;
      const known = from === undefined || (await context.store.isEventPosition(from));
      const reset = known ? undefined : 'this control plane does not know that Last-Event-ID: read everything anew';
      const leave = enter(streams, request.actor);
      const { signal, end } = lifeOf(request, reply, leave);
      const stream = eventStream({
        ...{ feed: context.events, tail, from, reset, networkId, signal },
        heartbeat: context.heartbeat,
        ...(telemetry === 'true' && {
          watch: (watcher: (event: string) => void) => context.telemetry.watch(networkId, watcher),
        }),
        mayGoOn: () => request.stillGranted(),
      });
      void reply.header('content-type', 'text/event-stream; charset=utf-8').header('cache-control', 'no-store');
      // nginx would keep events until it has enough of them.
      void reply.header('x-accel-buffering', 'no');
      return (reply as FastifyReply).send(Readable.from(stream).once('close', end));
    },
  );
}

/** Counts a stream. @returns what uncounts it. @throws WarrenError `too-many-streams` */
function enter(streams: Map<string, number>, actor: string): () => void {
  const mine = streams.get(actor) ?? 0;
  const all = [...streams.values()].reduce((sum, count) => sum + count, 0);
  if (mine >= MOST_PER_CALLER || all >= MOST_STREAMS)
    throw new WarrenError('too-many-streams', 'too many streams of events are open: close some, then try again');
  streams.set(actor, mine + 1);
  return () => {
    const left = (streams.get(actor) ?? 1) - 1;
    if (left === 0) streams.delete(actor);
    else streams.set(actor, left);
  };
}

/** Ends when the caller hangs up or takes nothing, and with the server. */
function lifeOf(request: FastifyRequest, reply: FastifyReply, leave: () => void): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const { closing } = request.server;
  let stalledSince: number | undefined;
  const watch = setInterval(() => {
    stalledSince = reply.raw.writableNeedDrain ? (stalledSince ?? performance.now()) : undefined;
    if (stalledSince !== undefined && performance.now() - stalledSince > LONGEST_STALL) reply.raw.destroy();
  }, STALL_INTERVAL).unref();
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    controller.abort();
    clearInterval(watch);
    closing.removeEventListener('abort', end);
    leave();
  };
  reply.raw.once('close', end);
  closing.addEventListener('abort', end);
  if (closing.aborted) end();
  return { signal: controller.signal, end };
}
