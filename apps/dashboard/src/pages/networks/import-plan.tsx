import type { Schemas } from '@warren/client';
import { Badge, type BadgeTone } from '../../ui/badge.js';
import { Input } from '../../ui/field.js';
import { plural } from '../../ui/format.js';
import { Facts } from '../../ui/page.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';

type Plan = Schemas['Import'];

const LEVELS: Readonly<Record<string, { label: string; tone: BadgeTone }>> = {
  conflict: { label: 'conflict', tone: 'bad' },
  'not-carried-over': { label: 'not carried over', tone: 'warn' },
  completed: { label: 'completed', tone: 'good' },
};

/** What files would become: nodes, and everything that was left out, added or contradicts. */
export function ImportPlan({
  plan,
  endpoints,
  onEndpoints,
}: {
  plan: Plan;
  endpoints: Readonly<Record<string, string>>;
  onEndpoints: (endpoints: Readonly<Record<string, string>>) => void;
}) {
  const conflicts = plan.report.filter(({ level }) => level === 'conflict').length;
  return (
    <section aria-label="What would be imported" className="flex flex-col gap-4">
      <Facts
        facts={[
          ['Network', plan.network],
          ['Addresses', <code key="cidrs">{plan.cidrs.join(', ') || 'none found'}</code>],
          ['Nodes', plural(plan.nodes.length, 'node')],
          ['Preshared keys', plan.presharedKeys === 0 ? 'none' : plural(plan.presharedKeys, 'pair')],
        ]}
      />
      {plan.nodes.length > 0 && <Nodes plan={plan} endpoints={endpoints} onEndpoints={onEndpoints} />}
      {conflicts > 0 && (
        <p role="alert" className="text-bad">
          {plural(conflicts, 'conflict')}: the files contradict each other, so nothing can be imported. Mend the files,
          then choose them again.
        </p>
      )}
      {plan.report.length > 0 && <Report notes={plan.report} />}
    </section>
  );
}

const Nodes = ({ plan, endpoints, onEndpoints }: Parameters<typeof ImportPlan>[0]) => (
  <div className="flex flex-col gap-1">
    <Table label="Nodes that would be made">
      <thead>
        <tr>
          <Th>Name</Th>
          <Th>Role</Th>
          <Th>Addresses</Th>
          <Th>Endpoint</Th>
        </tr>
      </thead>
      <tbody>
        {plan.nodes.map((node) => (
          <Tr key={node.name}>
            <Td>
              {node.name}
              {node.file === null && <div className="text-muted text-sm">known from other files</div>}
            </Td>
            <Td>{node.role}</Td>
            <Td className="mono text-sm">{node.addresses.join(' ')}</Td>
            <Td className="min-w-44">
              {node.endpoint !== null && endpoints[node.name] === undefined ? (
                <code>{node.endpoint}</code>
              ) : (
                <Input
                  aria-label={`Endpoint of ${node.name}`}
                  placeholder="none"
                  className="mono h-8! text-sm"
                  value={endpoints[node.name] ?? ''}
                  onChange={(event) => onEndpoints({ ...endpoints, [node.name]: event.target.value })}
                />
              )}
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
    <p className="text-muted text-sm">
      How others reach a node, as host:port, for those that no file tells. Preview again after a change.
    </p>
  </div>
);

const Report = ({ notes }: { notes: Plan['report'] }) => (
  <div className="flex flex-col gap-2">
    <h3 className="font-medium">Report</h3>
    <ul className="flex flex-col gap-2">
      {notes.map(({ level, file, line, message }) => (
        <li key={`${level} ${file} ${line} ${message}`} className="flex flex-col gap-x-3 sm:flex-row sm:items-start">
          <span className="shrink-0 sm:w-36">
            <Badge tone={LEVELS[level]?.tone ?? 'neutral'}>{LEVELS[level]?.label ?? level}</Badge>
          </span>
          <span className="min-w-0 break-words">
            {file !== null && <code className="text-muted">{`${file}${line === null ? '' : `:${line}`} `}</code>}
            {message}
          </span>
        </li>
      ))}
    </ul>
  </div>
);
