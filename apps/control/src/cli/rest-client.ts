import { WarrenError } from '@warren/base';
import { createWarrenClient, pages, take, type WarrenClient, WarrenProblem } from '@warren/client';
import { nodeFetch } from '@warren/client/node';
import { socketPath } from '../data-dir.js';
import { type Target, whichTarget } from './target.js';

/** Methods `GET`, `POST`, … of the generated client: `take(rest.GET('/api/v1/nodes'))`. */
export interface RestClient extends WarrenClient {
  readonly target: Target;
}

export interface RestClientOptions {
  /** Milliseconds without a byte until an answer is given up; default 30 s. */
  readonly timeout?: number;
  /** Ends every request. */
  readonly signal?: AbortSignal;
}

/** Speaks REST to a control plane: through its socket on this machine, or over HTTP(S). */
export function createRestClient(target: Target, { timeout, signal }: RestClientOptions = {}): RestClient {
  const connection = target.kind === 'local' ? { socketPath: socketPath(target.dataDir) } : ca(target);
  const send = nodeFetch({ ...connection, ...(timeout === undefined ? {} : { timeout }) });
  const client = createWarrenClient({
    // Through a socket the host is not looked at.
    url: target.kind === 'local' ? 'http://localhost' : target.url,
    ...(target.kind === 'local' ? {} : { token: target.token }),
    fetch: signal ? (request) => send(new Request(request, { signal })) : send,
  });
  return { ...client, target };
}

const ca = (target: { readonly ca?: string }): { ca?: string } => (target.ca === undefined ? {} : { ca: target.ca });

/** What a call that lists resolves to. */
interface Listed<T> {
  readonly data?: { items: T[]; nextCursor: string | null };
  readonly error?: unknown;
  readonly response: Response;
}

/** Every page of a list as one. `ask` gets what goes into the query besides its own. */
export async function everyPage<T>(
  ask: (page: { limit: number; cursor?: string }) => Promise<Listed<T>>,
): Promise<{ items: T[]; nextCursor: null }> {
  const items: T[] = [];
  const list = (cursor: string | undefined) => take(ask({ limit: 500, ...(cursor === undefined ? {} : { cursor }) }));
  for await (const item of pages(list)) items.push(item);
  return { items, nextCursor: null };
}

/**
 * What went wrong between us and a control plane, in words that say what to do; errors of our own come back as they are.
 */
export function describeFailure(error: unknown, target: Target): unknown {
  if (error instanceof WarrenError) return error;
  if (error instanceof WarrenProblem) {
    const which = whichTarget(target);
    return new WarrenError(error.code, problemText(error) + (which && ` (${which})`), { cause: error });
  }
  if (!(error instanceof Error) || typeof (error as NodeJS.ErrnoException).code !== 'string') return error;
  return target.kind === 'remote' ? unreachable(target.url, error) : localUnreachable(target.dataDir, error);
}

/** As a problem says it to programs: where in the request, and in the words of the validator. */
const problemText = ({ message }: WarrenProblem): string =>
  message
    .replace(/^(body|querystring|params)\.?/, '')
    .replace(/^: /, '')
    .replace(/Invalid option: expected one of (\S+)/, (_, options: string) => {
      return `must be one of ${options.replaceAll('"', '').replaceAll('|', ', ')}`;
    });

/** TLS errors that a context's --ca mends, as OpenSSL and Node name them. */
const UNTRUSTED = /CERT|SELF_SIGNED|ISSUER/;

function unreachable(url: string, error: NodeJS.ErrnoException): WarrenError {
  const todo = UNTRUSTED.test(error.code ?? '') ? '; name its authority with `warren context add … --ca FILE`' : '';
  return new WarrenError('unreachable', `cannot reach ${url}: ${error.message || error.code}${todo}`, { cause: error });
}

function localUnreachable(dataDir: string, error: NodeJS.ErrnoException): WarrenError {
  const options = { cause: error };
  if (error.code === 'EACCES') {
    const message = `the control plane in ${dataDir} belongs to another user: run this as that user or root`;
    return new WarrenError('forbidden', message, options);
  }
  if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') {
    return new WarrenError('unreachable', `the control plane in ${dataDir}: ${error.message}`, options);
  }
  return new WarrenError(
    'not-running',
    `no control plane runs on ${dataDir}: start \`warren serve\`, name its --data-dir, set WARREN_URL and WARREN_TOKEN, or add it with \`warren context add\``,
    options,
  );
}
