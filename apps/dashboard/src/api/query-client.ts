import { QueryClient } from '@tanstack/react-query';
import { WarrenProblem } from './client.js';

/** Events say what is stale (live.ts), so nothing is asked again by time. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      // A refusal stays one; only what could not be asked is asked again.
      retry: (failures, error) => !(error instanceof WarrenProblem && error.status < 500) && failures < 3,
    },
  },
});
