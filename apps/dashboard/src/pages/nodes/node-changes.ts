import type { QueryKey } from '@tanstack/react-query';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { type Node, nodeQuery, nodesQuery } from '../../api/queries.js';

interface NodeChange<Input> {
  readonly change: (input: Input) => Promise<unknown>;
  /** What the node will be, shown until the answer is there. */
  readonly patch?: (input: Input) => Partial<Node>;
  readonly done?: (input: Input) => string;
  readonly onDone?: () => void;
  /** A form shows the error itself. */
  readonly quiet?: boolean;
}

/** What of the page a changed node touches. */
const STALE: readonly QueryKey[] = [['nodes'], ['topology']];

/** A change of one node: wherever it is shown it changes at once, and back with a message when that is refused. */
export function useNodeChange<Input = void>(node: Node, options: NodeChange<Input>) {
  const { change, patch, done, onDone, quiet } = options;
  return useChange<Input, unknown>({
    change,
    stale: STALE,
    ...(patch && { optimistic: (input: Input) => shownAs(node, patch(input)) }),
    ...(done && { done: (_output: unknown, input: Input) => done(input) }),
    ...(onDone && { onDone: () => onDone() }),
    ...(quiet === undefined ? {} : { quiet }),
  });
}

/** The places where a node is held, each with the node as it will be. */
function shownAs(node: Node, patch: Partial<Node>): readonly { key: QueryKey; update: (old: never) => unknown }[] {
  const inList = (nodes: readonly Node[]): Node[] =>
    nodes.map((each) => (each.id === node.id ? { ...each, ...patch } : each));
  const alone = (held: Node): Node => ({ ...held, ...patch });
  return [
    { key: nodesQuery(node.network).queryKey, update: inList as (old: never) => unknown },
    { key: nodeQuery(node.id).queryKey, update: alone as (old: never) => unknown },
  ];
}

/** Lets a node in, or in again. */
export function useApprove(node: Node) {
  return useNodeChange(node, {
    change: () => take(api.POST('/api/v1/nodes/{id}/approve', { params: { path: { id: node.id } } })),
    patch: () => ({ status: 'active', disabledAt: null }),
    done: () => `${node.name} is a member`,
  });
}
