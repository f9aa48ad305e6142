import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { WarrenError } from '@warren/base';
import { socketPath } from '../data-dir.js';
import type { Target } from './target.js';

const MAX_ANSWER = 64 * 1024 * 1024;

export interface Request {
  readonly method: string;
  /** Beneath the control plane's address, a slash first. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds without a byte after which the answer is given up. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** Sends one request to a control plane: to its socket on this machine, or over HTTP(S). @throws WarrenError `unreachable`, `not-running`, `forbidden` */
export function send(target: Target, request: Request): Promise<IncomingMessage> {
  const { method, path, body, timeout, signal } = request;
  const headers = {
    ...request.headers,
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...(target.kind === 'remote' ? { authorization: `Bearer ${target.token}` } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = open(target, { method, path, headers, timeout, ...(signal ? { signal } : {}) }, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${Math.round(timeout / 1000)} seconds`)));
    sent.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(target, error)));
    sent.end(body);
  });
}

/** The whole answer as text. @throws WarrenError `unreachable` for one that cannot be a control plane's. */
export async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER)
        throw new WarrenError('unreachable', 'the answer is too long to be from a control plane');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof WarrenError) throw error;
    throw new WarrenError('unreachable', `the answer broke off: ${(error as Error).message}`, { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function open(target: Target, options: RequestOptions, answer: (response: IncomingMessage) => void): ClientRequest {
  if (target.kind === 'local') return httpRequest({ ...options, socketPath: socketPath(target.dataDir) }, answer);
  const url = new URL(target.url + options.path);
  const path = url.pathname + url.search;
  if (url.protocol === 'http:') return httpRequest(url, { ...options, path }, answer);
  return httpsRequest(url, { ...options, path, ...(target.ca === undefined ? {} : { ca: target.ca }) }, answer);
}

/** TLS errors that a context's --ca mends, as OpenSSL and Node name them. */
const UNTRUSTED = /CERT|SELF_SIGNED|ISSUER/;

function unreachable(target: Target, error: NodeJS.ErrnoException): WarrenError {
  const options = { cause: error };
  if (target.kind === 'remote') {
    const why = error.message || error.code;
    const todo = UNTRUSTED.test(error.code ?? '') ? '; name its authority with `warren context add … --ca FILE`' : '';
    return new WarrenError('unreachable', `cannot reach ${target.url}: ${why}${todo}`, options);
  }
  if (error.code === 'EACCES') {
    const message = `the control plane in ${target.dataDir} belongs to another user: run this as that user or root`;
    return new WarrenError('forbidden', message, options);
  }
  if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') {
    return new WarrenError('unreachable', `the control plane in ${target.dataDir}: ${error.message}`, options);
  }
  return new WarrenError(
    'not-running',
    `no control plane runs on ${target.dataDir}: start \`warren serve\`, name its --data-dir, set WARREN_URL and WARREN_TOKEN, or add it with \`warren context add\``,
    options,
  );
}
