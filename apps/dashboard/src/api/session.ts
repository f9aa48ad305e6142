import { queryOptions } from '@tanstack/react-query';
import { setCsrfToken } from './client.js';
import { queryClient } from './query-client.js';

interface Session {
  readonly user: { readonly id: string; readonly name: string };
  readonly csrfToken: string;
}

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    const response = await fetch('/api/v1/session');
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`the control plane answered HTTP ${response.status}: see its log`);
    const session = (await response.json()) as Session;
    setCsrfToken(session.csrfToken);
    return session;
  },
});

/** Forgets everything that was shown. */
export function forgetSession(): void {
  setCsrfToken(undefined);
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, null);
}

/** @throws Error when the session goes on */
export async function endSession(): Promise<void> {
  const csrf = queryClient.getQueryData(sessionQuery.queryKey)?.csrfToken ?? '';
  const response = await fetch('/api/v1/session', { method: 'DELETE', headers: { 'x-warren-csrf': csrf } });
  if (!response.ok && response.status !== 401) throw new Error(`the control plane answered HTTP ${response.status}`);
}
