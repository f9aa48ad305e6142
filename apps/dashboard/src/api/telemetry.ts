import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { useEffect } from 'react';
import { api, take } from './client.js';
import { live } from './live.js';
import type { LiveEvent } from './live-stream.js';
import { queryClient } from './query-client.js';

/** What is seen of the mesh: asked for once, then kept up by events of its own (`topology.nodes`, `topology.links`). */

export type Topology = Schemas['Topology'];
export type TopologyNode = Schemas['TopologyNode'];
export type TopologyLink = Schemas['TopologyLink'];
export type NodeTelemetry = Schemas['NodeTelemetry'];
export type NodePath = Schemas['NodePath'];
export type Explanation = Schemas['Explanation'];

/** An event of one node is answered by asking anew, at most so often. Milliseconds. */
const ASK_AGAIN = 1_000;
/** Without any event, so that a chart goes on. Milliseconds. */
const IDLE_INTERVAL = 15_000;

/** @param network name or id. */
export const topologyQuery = (network: string) =>
  queryOptions({
    queryKey: ['topology', network],
    queryFn: () => take(api.GET('/api/v1/networks/{id}/topology', { params: { path: { id: network } } })),
  });

/** Bytes of each minute by node id, oldest first; asked for each minute. */
export const trafficQuery = (network: string) =>
  queryOptions({
    queryKey: ['traffic', network],
    queryFn: async () => {
      const params = { path: { id: network }, query: { traffic: 'true' as const } };
      const { nodes } = await take(api.GET('/api/v1/networks/{id}/topology', { params }));
      return new Map(nodes.map(({ id, traffic }) => [id, traffic ?? []]));
    },
    refetchInterval: 60_000,
  });

export const nodeTelemetryQuery = (id: string) =>
  queryOptions({
    queryKey: ['telemetry', id],
    // The client's types forget that points are of three numbers.
    queryFn: async () =>
      (await take(api.GET('/api/v1/nodes/{id}/telemetry', { params: { path: { id } } }))) as NodeTelemetry,
    refetchInterval: IDLE_INTERVAL,
  });

/** What the agent of `id` says of its path to `peer`, asked of it now. */
export const explanationQuery = (id: string, peer: string) =>
  queryOptions({
    queryKey: ['explanation', id, peer],
    queryFn: () => take(api.GET('/api/v1/nodes/{id}/explain', { params: { path: { id }, query: { peer } } })),
    staleTime: 0,
    gcTime: 0,
  });

/** A network as its agents see it, while they see it. */
export function useTopology(network: string) {
  useEffect(() => {
    const release = live.watchTelemetry();
    const forget = live.onEvent((event) => {
      const { queryKey } = topologyQuery(network);
      queryClient.setQueryData(queryKey, (old) => old && applyTelemetry(old, event));
    });
    return () => {
      forget();
      release();
    };
  }, [network]);
  return useQuery(topologyQuery(network));
}

/** One node as it is seen, while it is. */
export function useNodeTelemetry(id: string) {
  useEffect(() => {
    const release = live.watchTelemetry();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const askAgain = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void queryClient.invalidateQueries({ queryKey: ['telemetry', id] });
      }, ASK_AGAIN);
    };
    const forget = live.onEvent((event) => concerns(event, id) && askAgain());
    const forgetOpened = live.onReopened(askAgain);
    return () => {
      clearTimeout(timer);
      forget();
      forgetOpened();
      release();
    };
  }, [id]);
  return useQuery(nodeTelemetryQuery(id));
}

interface NodesSeen {
  readonly networkId: string;
  readonly nodes: readonly (Partial<TopologyNode> & { readonly id: string })[];
}
interface LinksSeen {
  readonly networkId: string;
  readonly links: readonly TopologyLink[];
  readonly gone: readonly (readonly [string, string])[];
}

function concerns({ type, data }: LiveEvent, id: string): boolean {
  if (type === 'topology.nodes') return (data as NodesSeen).nodes.some((node) => node.id === id);
  if (type !== 'topology.links') return false;
  const { links, gone } = data as LinksSeen;
  return links.some(({ a, b }) => a === id || b === id) || gone.some((pair) => pair.includes(id));
}

/** The topology after an event; the same object when it is about something else. */
export function applyTelemetry(topology: Topology, { type, data }: LiveEvent): Topology {
  if (type !== 'topology.nodes' && type !== 'topology.links') return topology;
  if ((data as NodesSeen | LinksSeen).networkId !== topology.networkId) return topology;
  if (type === 'topology.nodes') {
    const seen = new Map((data as NodesSeen).nodes.map((node) => [node.id, node]));
    const nodes = topology.nodes.map((node) => (seen.has(node.id) ? { ...node, ...seen.get(node.id) } : node));
    return { ...topology, nodes };
  }
  const { links, gone } = data as LinksSeen;
  const replaced = new Set([...links.map(({ a, b }) => `${a} ${b}`), ...gone.map(([a, b]) => `${a} ${b}`)]);
  return { ...topology, links: [...topology.links.filter(({ a, b }) => !replaced.has(`${a} ${b}`)), ...links] };
}
