import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { apiKeysQuery } from '../api/queries.js';

/** Names of API keys for `actorText`. */
export function useActorNames(): (kind: 'apikey', id: string) => string | undefined {
  const keys = useQuery(apiKeysQuery).data;
  return useCallback((_kind, id) => keys?.find((key) => key.id === id)?.name, [keys]);
}
