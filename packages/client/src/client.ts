import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './gen/schema.js';
import { problemOf, WarrenProblem } from './problem.js';

/** Methods `GET`, `POST`, `PUT`, `PATCH` and `DELETE`, each with the paths that the control plane has. */
export type WarrenClient = Client<paths>;
/** What the control plane sends, by name: `Schemas['Node']`. */
export type Schemas = components['schemas'];

/** Where the control plane is and who asks. */
export interface WarrenClientOptions {
  /** Without a path: `https://warren.example.org`. */
  readonly url: string;
  /** API key; none where a cookie or a local socket says who asks. */
  readonly token?: string;
  /** Instead of the global `fetch`; for a unix socket see `nodeFetch` of `@warren/client/node`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** A client of one control plane; it holds no connection. Refusals are in `error` of its answers: see `take`. */
export function createWarrenClient({ url, token, fetch }: WarrenClientOptions): WarrenClient {
  return createClient<paths>({
    baseUrl: url.replace(/\/+$/, ''),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  });
}

/** What a call of openapi-fetch resolves to. */
interface Answer {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}

/** What an answer carries when it is no refusal; undefined: nothing. */
type Content<A extends Answer> = [Exclude<A['data'], undefined>] extends [never]
  ? undefined
  : Exclude<A['data'], undefined>;

/**
 * The content of an answer, undefined for one without (204).
 *
 * @throws WarrenProblem when the control plane refused, with code `unreachable` when something else answered; whatever
 * `fetch` throws when nobody did.
 */
export async function take<A extends Answer>(answer: Promise<A>): Promise<Content<A>> {
  let settled: A;
  try {
    settled = await answer;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new WarrenProblem('unreachable', 'the answer is not from a control plane: it is no valid JSON', 0);
  }
  const { data, error, response } = settled;
  if (!response.ok && response.status !== 304) throw problemOf(response.status, error);
  return data as Content<A>;
}

/** All items of a list, page by page: `pages((cursor) => take(client.GET('/api/v1/nodes', { params: { query: { cursor } } })))`. */
export async function* pages<T>(
  ask: (cursor: string | undefined) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | null }>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await ask(cursor);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
