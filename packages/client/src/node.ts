import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** How `nodeFetch` connects. */
export interface NodeFetchOptions {
  /** A unix socket; host and port of the URL are then not looked at. */
  readonly socketPath?: string;
  /** Certificates in PEM that the server's has to lead to; default: the system's. */
  readonly ca?: string;
  /** Milliseconds without a byte until it gives up; a long poll needs more than it waits. Default 30 s. */
  readonly timeout?: number;
}

/** Answers without a body, which `Response` insists on (Fetch standard, "null body status"). */
const BODILESS = new Set([204, 205, 304]);
const TIMEOUT = 30_000;

/**
 * A `fetch` on Node's own HTTP client, for what the global one cannot: unix sockets, and a timeout. It does not follow
 * redirects: an API key is for the server that it was given for. Rejects with Node's error (`code` `ECONNREFUSED`,
 * `ENOENT`, `EACCES`, …), or `ETIMEDOUT`.
 */
export function nodeFetch({
  socketPath,
  ca,
  timeout = TIMEOUT,
}: NodeFetchOptions = {}): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    const options: RequestOptions = {
      method: request.method,
      headers: { ...Object.fromEntries(request.headers), ...(body ? { 'content-length': body.length } : {}) },
      timeout,
      signal: request.signal,
      ...(socketPath === undefined ? {} : { socketPath }),
      ...(ca === undefined ? {} : { ca }),
    };
    return new Promise((resolve, reject) => {
      const sent = open(url, options, (answer) => resolve(toResponse(answer)));
      sent.on('timeout', () => sent.destroy(timedOut(timeout)));
      sent.on('error', reject);
      sent.end(body);
    });
  };
}

function open(url: URL, options: RequestOptions, answered: (answer: IncomingMessage) => void): ClientRequest {
  if (url.protocol === 'https:' && options.socketPath === undefined) return requestHttps(url, options, answered);
  return requestHttp({ ...options, ...place(url, options) }, answered);
}

const place = (url: URL, { socketPath }: RequestOptions): RequestOptions => ({
  path: url.pathname + url.search,
  ...(socketPath === undefined ? { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 80 } : {}),
});

function toResponse(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 500;
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  if (BODILESS.has(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
  return new Response(stream as unknown as BodyInit, { status, headers });
}

function timedOut(timeout: number): Error {
  const error: NodeJS.ErrnoException = new Error(`no answer within ${timeout / 1000} seconds`);
  error.code = 'ETIMEDOUT';
  return error;
}
