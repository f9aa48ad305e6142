import { Badge, Dot } from '../../ui/badge.js';
import { NODE_STATES, type NodeState } from './node-state.js';

/** The state of a node as a word with a mark. */
export const StateBadge = ({ state }: { state: NodeState }) => {
  const { name, tone, meaning } = NODE_STATES[state];
  return (
    <Badge tone={tone} title={meaning}>
      <Dot tone={tone} />
      {name}
    </Badge>
  );
};
