import { createWarrenClient, take, WarrenProblem } from '@warren/client';

/** Goes with every change: a page of another origin cannot read it, so it cannot forge one. */
let csrfToken: string | undefined;
let onSignedOut: () => void = () => undefined;

export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** @param listener called when an answer says that the session is over. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Where 401 says that somebody is not let in, rather than that they are out. */
const SIGN_IN = /^\/api\/v1\/session(\/link)?$/;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

async function fetchSameOrigin(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  if (!SAFE.has(request.method) && csrfToken !== undefined) headers.set('x-warren-csrf', csrfToken);
  const response = await fetch(new Request(request, { headers, credentials: 'same-origin' }));
  if (response.status === 401 && !SIGN_IN.test(new URL(request.url).pathname)) onSignedOut();
  return response;
}

/** The control plane that served this page. */
export const api = createWarrenClient({ url: window.location.origin, fetch: fetchSameOrigin });

export { take, WarrenProblem };

/** What to tell a person of any failure. */
export function messageOf(error: unknown): string {
  if (error instanceof WarrenProblem) return error.message;
  if (error instanceof TypeError) return 'the control plane cannot be reached: check that it runs, then try again';
  return error instanceof Error ? error.message : String(error);
}
