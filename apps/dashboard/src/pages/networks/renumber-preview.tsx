import type { Schemas } from '@warren/client';
import { TriangleAlert } from 'lucide-react';
import { Badge } from '../../ui/badge.js';
import { plural } from '../../ui/format.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';

type Plan = Schemas['Renumbering'];
/** More rows than this tell nobody anything; the count says the rest. */
const MOST = 200;

/** What a renumbering would do, node by node. */
export function RenumberPreview({ plan }: { plan: Plan }) {
  const files = plan.nodes.filter(({ newFile }) => newFile).length;
  const lost = plan.reservations.filter(({ after }) => after === null);
  const warnings = [
    ...plan.warnings,
    ...plan.lanClashes.map(({ name, cidr, lan }) => `${cidr} overlaps ${lan}, a LAN of ${name}`),
    ...(files > 0 ? [`${plural(files, 'vanilla member needs its', 'vanilla members need their')} new file`] : []),
    ...lost.map(
      ({ before, name }) => `the reservation of ${before}${name ? ` for ${name}` : ''} has no place and is gone`,
    ),
  ];
  return (
    <section aria-label="What would change" className="flex flex-col gap-3">
      <p>
        {plan.nodes.length === 0
          ? 'The network has no nodes: nothing moves.'
          : `${plural(plan.nodes.length, 'node')} would move. Agents follow by themselves; connections to the old addresses end.`}
      </p>
      {warnings.length > 0 && (
        <ul className="flex flex-col gap-1 rounded-xl border border-warn bg-warn-soft px-4 py-3">
          {warnings.map((warning) => (
            <li key={warning} className="flex items-start gap-2">
              <TriangleAlert aria-hidden size={16} className="mt-1 shrink-0 text-warn" />
              <span className="min-w-0 break-words">{warning}</span>
            </li>
          ))}
        </ul>
      )}
      {plan.nodes.length > 0 && <Moves nodes={plan.nodes} />}
    </section>
  );
}

function Moves({ nodes }: { nodes: Plan['nodes'] }) {
  return (
    <div className="flex flex-col gap-2">
      <div className="max-h-72 overflow-y-auto">
        <Table label="Nodes and their new addresses">
          <thead>
            <tr>
              <Th>Node</Th>
              <Th>Now</Th>
              <Th>Then</Th>
            </tr>
          </thead>
          <tbody>
            {nodes.slice(0, MOST).map(({ id, name, before, after, newFile }) => (
              <Tr key={id}>
                <Td>
                  {name} {newFile && <Badge tone="warn">new file</Badge>}
                </Td>
                <Td className="mono text-sm">{before.join(' ')}</Td>
                <Td className="mono text-sm">{after.join(' ')}</Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      </div>
      {nodes.length > MOST && <p className="text-muted text-sm">And {nodes.length - MOST} more.</p>}
    </div>
  );
}
