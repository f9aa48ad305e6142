import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log.js';
import { type LogFields, requestIdOf, withLogFields } from '../log-fields.js';
import type { Metrics } from '../metrics/metrics.js';
import { REQUEST_ID } from './request-id.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Probes and scrapes come every few seconds. */
const QUIET = ['/healthz', '/readyz', '/metrics'];

interface Begun {
  readonly at: number;
  readonly fields: LogFields;
  over: boolean;
}

/**
 * Gives every request an id, which its answer and all its log lines carry; logs and counts it when it is over. The first
 * hook of all, so that refusals are seen too.
 */
export function observeRequests(app: FastifyInstance, log: Log, metrics: Metrics): void {
  const begun = new WeakMap<FastifyRequest, Begun>();
  app.addHook('onRequest', (request, reply, done) => {
    const one: Begun = { at: performance.now(), fields: fieldsOf(request), over: false };
    begun.set(request, one);
    void reply.header(REQUEST_ID, one.fields.requestId);
    const leave = waiting(request, metrics);
    const over = (): void => {
      if (one.over) return;
      one.over = true;
      leave?.();
      report(request, reply, one, log, metrics, leave !== undefined);
    };
    // `close` comes in any case, `finish` before it and also where there is no connection.
    reply.raw.once('finish', over).once('close', over);
    withLogFields(one.fields, done);
  });
  // A body is read on behalf of the connection, which belongs to no request.
  app.addHook('preValidation', (request, _reply, done) => {
    const one = begun.get(request);
    if (one) withLogFields(one.fields, done);
    else done();
  });
}

/** What the path says already; handlers add what they find out. */
function fieldsOf(request: FastifyRequest): LogFields {
  const fields: LogFields = { requestId: requestIdOf(request.headers[REQUEST_ID]) };
  const { id } = (request.params ?? {}) as { id?: string };
  const route = request.routeOptions.url ?? '';
  if (id !== undefined && UUID.test(id)) {
    if (route.startsWith('/api/v1/nodes/')) fields.node = id;
    else if (route.startsWith('/api/v1/networks/')) fields.network = id;
  }
  return fields;
}

/** Counts those who wait, for a change or for events. @returns what ends that; undefined: it is an ordinary request. */
function waiting(request: FastifyRequest, metrics: Metrics): (() => void) | undefined {
  const route = request.routeOptions.url ?? '';
  const polls = /\.conf$/.test(route) && Number((request.query as { wait?: string } | undefined)?.wait) > 0;
  const gauge = route.endsWith('/events') ? metrics.eventStreams : polls ? metrics.configPolls : undefined;
  gauge?.inc();
  return gauge && (() => gauge.dec());
}

function report(
  request: FastifyRequest,
  reply: FastifyReply,
  { at, fields }: Begun,
  log: Log,
  metrics: Metrics,
  waited: boolean,
): void {
  const { method } = request;
  const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
  const status = reply.statusCode;
  const ms = performance.now() - at;
  metrics.httpRequests.inc({ method, route, status });
  if (!waited) metrics.httpSeconds.observe({ method, route }, ms / 1000);
  const read = method === 'GET' || method === 'HEAD';
  const level = status >= 500 ? 'warn' : QUIET.includes(route) ? 'trace' : read && status < 400 ? 'debug' : 'info';
  const actor = request.actor ? { actor: request.actor } : {};
  log[level]({ ...fields, method, route, status, ms: Math.round(ms * 10) / 10, ...actor }, 'request');
}
