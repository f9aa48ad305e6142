import { queryOptions } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { api, setCsrfToken, take, WarrenProblem } from './client.js';
import { all } from './queries.js';
import { queryClient } from './query-client.js';

type CurrentSession = Schemas['CurrentSession'];
export type Session = Schemas['Session'];

const isSignedOut = (error: unknown): boolean => error instanceof WarrenProblem && error.status === 401;

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<CurrentSession | null> => {
    try {
      const session = await take(api.GET('/api/v1/session'));
      setCsrfToken(session.csrfToken);
      return session;
    } catch (error) {
      if (isSignedOut(error)) return null;
      throw error;
    }
  },
});

/** Views that are still there would ask anew for what is forgotten, so they go first. @param goAway leaves them */
export async function forgetSession(goAway: () => Promise<void>): Promise<void> {
  setCsrfToken(undefined);
  queryClient.setQueryData(sessionQuery.queryKey, null);
  await goAway();
  const needed = [sessionQuery, signInStateQuery].map(({ queryKey }) => queryKey[0]);
  queryClient.removeQueries({ predicate: ({ queryKey }) => !needed.some((key) => key === queryKey[0]) });
}

/** @throws WarrenProblem, or what `fetch` throws, when the session goes on */
export async function endSession(): Promise<void> {
  try {
    await take(api.DELETE('/api/v1/session'));
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
}

/** Whether a password was set, and whether others could read it on its way. */
export const signInStateQuery = queryOptions({
  queryKey: ['sign-in-state'],
  queryFn: () => take(api.GET('/api/v1/session/state')),
  staleTime: 0,
});

/** The cookie has come with the answer. */
function enter(session: CurrentSession): void {
  setCsrfToken(session.csrfToken);
  queryClient.setQueryData(sessionQuery.queryKey, session);
}

/** @throws WarrenProblem `sign-in-failed`, `too-many-requests` */
export async function signIn(password: string): Promise<void> {
  enter(await take(api.POST('/api/v1/session', { body: { password } })));
}

/** Sets the password. @throws WarrenProblem `link-…`, `password-too-short`, `too-many-requests` */
export async function spendSignInLink(body: { link: string; password: string }): Promise<void> {
  enter(await take(api.POST('/api/v1/session/link', { body })));
}

/** @throws WarrenProblem `password-wrong`, `password-too-short`, `too-many-requests` */
export async function changePassword(body: { current: string; password: string }): Promise<void> {
  await take(api.PUT('/api/v1/session/password', { body }));
}

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: () => all((query) => take(api.GET('/api/v1/sessions', { params: { query } }))),
});

export async function revokeSession(id: string): Promise<void> {
  await take(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } }));
}
