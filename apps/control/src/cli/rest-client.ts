import { WarrenError } from '@warren/base';
import { type Target, whichTarget } from './target.js';
import { readAll, send } from './transport.js';

const TIMEOUT = 30_000;

export interface RestClient {
  readonly target: Target;
  /** The parsed JSON answer, or the text of another type. @throws WarrenError with the problem's code and detail. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

/** Speaks REST to a control plane. `path` begins with a slash and is beneath `/api/v1`. */
export function createRestClient(target: Target, options: { timeout?: number; signal?: AbortSignal } = {}): RestClient {
  const { timeout = TIMEOUT, signal } = options;
  return {
    target,
    async call(method, path, body) {
      const payload = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
      const rest = { ...payload, ...(signal ? { signal } : {}) };
      const response = await send(target, { method, path: `/api/v1${path}`, headers, timeout, ...rest });
      const text = await readAll(response);
      const json = /json/.test(response.headers['content-type'] ?? '') ? parseJson(text) : undefined;
      const status = response.statusCode ?? 0;
      if (status >= 400) throw problem(target, status, json);
      return json ?? text;
    },
  };
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

function problem(target: Target, status: number, json: unknown): WarrenError {
  const { code, detail } = (json ?? {}) as { code?: string; detail?: string };
  const which = whichTarget(target);
  return new WarrenError(
    code ?? 'unreachable',
    (detail ?? `the answer was HTTP ${status}, from something that is no control plane`) + (which && ` (${which})`),
  );
}
