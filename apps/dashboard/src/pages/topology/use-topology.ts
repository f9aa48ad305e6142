import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { api, take } from '../../api/client.js';
import { live } from '../../api/live.js';
import { NodePositions } from './canvas/node-positions.js';
import type { Topology } from './model/mesh.js';
import { TopologyStore } from './model/topology-store.js';

const topologyQuery = (network: string) =>
  queryOptions({
    queryKey: ['topology', network, 'mesh'],
    queryFn: async (): Promise<{ topology: Topology; askedAt: number }> => {
      const askedAt = performance.now();
      const params = { path: { id: network } };
      return { topology: await take(api.GET('/api/v1/networks/{id}/topology', { params })), askedAt };
    },
    // Ten thousand nodes are compared by the store, once.
    structuralSharing: false,
    // What came by events while nobody looked at this view is in no answer.
    refetchOnMount: 'always',
  });

/** The topology of a network, kept up to date while somebody looks: answers and events into one store. */
export function useTopology(network: string) {
  const query = useQuery(topologyQuery(network));
  const store = useState(() => new TopologyStore())[0];
  const networkId = query.data?.topology.networkId;
  const positions = useMemo(() => (networkId === undefined ? undefined : new NodePositions(networkId)), [networkId]);
  useEffect(() => live.watchTelemetry(), []);
  useEffect(() => live.onEvent((event) => store.take(event, performance.now())), [store]);
  useEffect(() => {
    if (!positions) return;
    const stop = store.onChange(({ structure }) => structure && positions.update(store.mesh));
    return () => {
      stop();
      positions.close();
    };
  }, [store, positions]);
  useEffect(() => {
    if (!query.data) return;
    store.replace(query.data.topology, query.data.askedAt);
  }, [store, query.data]);
  const version = useSyncExternalStore(store.subscribe, () => store.version);
  return { query, store, positions, version };
}
