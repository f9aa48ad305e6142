import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { WarrenError } from '@warren/base';
import type { ClientConfig } from '../config.js';
import { socketPath } from '../data-dir.js';

const TIMEOUT = 30_000;
const MAX_ANSWER = 64 * 1024 * 1024;

export interface RestClient {
  /** The parsed JSON answer, or the text of another type. @throws WarrenError with the problem's code and detail. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

/** Speaks REST to the local socket, or to WARREN_URL. `path` begins with a slash and is beneath `/api/v1`. */
export function createRestClient(config: ClientConfig): RestClient {
  return {
    async call(method, path, body) {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        ...(config.remote ? { authorization: `Bearer ${config.remote.token}` } : {}),
      };
      const response = await send(config, { method, path: `/api/v1${path}`, headers }, payload);
      const text = await readAll(response);
      const json = /json/.test(response.headers['content-type'] ?? '') ? parseJson(text) : undefined;
      const status = response.statusCode ?? 0;
      if (status >= 400) throw problem(status, json);
      return json ?? text;
    },
  };
}

function send(config: ClientConfig, options: RequestOptions, payload: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = open(config, { ...options, timeout: TIMEOUT }, resolve);
    request.on('timeout', () => request.destroy(new Error('no answer within 30 seconds')));
    request.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(config, error)));
    request.end(payload);
  });
}

function open(
  config: ClientConfig,
  options: RequestOptions,
  answer: (response: IncomingMessage) => void,
): ClientRequest {
  if (!config.remote) return httpRequest({ ...options, socketPath: socketPath(config.dataDir) }, answer);
  const url = new URL(config.remote.url + options.path);
  return (url.protocol === 'https:' ? httpsRequest : httpRequest)(
    url,
    { ...options, path: url.pathname + url.search },
    answer,
  );
}

function unreachable(config: ClientConfig, error: NodeJS.ErrnoException): WarrenError {
  if (config.remote)
    return new WarrenError('unreachable', `cannot reach ${config.remote.url}: ${error.message || error.code}`, {
      cause: error,
    });
  if (error.code === 'EACCES') {
    return new WarrenError(
      'forbidden',
      `the control plane in ${config.dataDir} belongs to another user: run this as that user or root`,
      { cause: error },
    );
  }
  return new WarrenError(
    'not-running',
    `no control plane runs on ${config.dataDir}: start \`warren serve\`, name its --data-dir, or set WARREN_URL and WARREN_TOKEN`,
    { cause: error },
  );
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new WarrenError('unreachable', 'the answer is too long to be from a control plane');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WarrenError('unreachable', 'the answer is not from a control plane: it is no valid JSON', {
      cause: error,
    });
  }
}

function problem(status: number, json: unknown): WarrenError {
  const { code, detail } = (json ?? {}) as { code?: string; detail?: string };
  return new WarrenError(
    code ?? 'unreachable',
    detail ?? `the answer was HTTP ${status}, from something that is no control plane`,
  );
}
