import { Link } from '@tanstack/react-router';
import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge } from '../../ui/badge.js';
import { cx } from '../../ui/class-names.js';
import { formatBytes, formatRate } from '../../ui/format.js';
import { Sparkline } from '../../ui/sparkline.js';
import { Time } from '../../ui/time.js';
import type { NodeEntry } from './node-list.js';
import { PathSummary } from './path-summary.js';
import { StateBadge } from './state-badge.js';

/** Tick, state, name, addresses, paths, last seen; version, traffic, tags where there is room. */
export const COLUMNS =
  'md:grid md:grid-cols-[1.5rem_6.4rem_minmax(8rem,1.3fr)_minmax(8.5rem,1fr)_8rem_5.2rem] md:items-center gap-x-3 ' +
  'xl:grid-cols-[1.5rem_6.4rem_minmax(8rem,1.3fr)_minmax(8.5rem,1fr)_8rem_5.2rem_3.8rem_6.5rem_6.5rem]';

interface RowProps {
  readonly network: string;
  readonly entry: NodeEntry;
  readonly traffic: readonly number[] | undefined;
  readonly selected: boolean;
  readonly onSelect: (range: boolean) => void;
  readonly rowIndex: number;
  /** Pixels below the top of the list. */
  readonly top: number;
  readonly last: boolean;
}

/** One node: a row with columns, or a card of three lines where there is no room for them. */
export function NodeRow({ network, entry, traffic, selected, onSelect, rowIndex, top, last }: RowProps) {
  const { node, seen, state } = entry;
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: rows that are not made have no place in a table element
    // biome-ignore-start lint/a11y/useFocusableInteractive: what is pressed in it are box and link
    <div
      role="row"
      aria-rowindex={rowIndex}
      aria-selected={selected}
      data-node={node.name}
      className={cx(
        COLUMNS,
        'absolute inset-x-0 grid h-[116px] grid-cols-[1.5rem_minmax(0,1fr)_auto] content-center items-center gap-y-0.5 border-line px-3 md:h-[56px]',
        !last && 'border-b',
        selected ? 'bg-accent-soft' : 'hover:bg-sunken/60',
        last && 'rounded-b-2xl',
      )}
      style={{ transform: `translateY(${top}px)` }}
    >
      <Cell className="row-span-3 flex self-stretch max-md:row-start-1">
        <label className="-m-2 flex grow items-center p-2">
          <span className="sr-only">Select {node.name}</span>
          <input
            type="checkbox"
            checked={selected}
            onChange={(event) => onSelect((event.nativeEvent as MouseEvent).shiftKey === true)}
            className="size-5 accent-accent"
          />
        </label>
      </Cell>
      <Cell className="max-md:col-start-3 max-md:row-start-1">
        <StateBadge state={state} />
      </Cell>
      <Cell className="max-md:col-start-2 max-md:row-start-1">
        <NameCell network={network} entry={entry} />
      </Cell>
      <Cell className="mono max-md:col-start-2 max-md:row-start-2">
        <div className="truncate">{node.addresses[0]}</div>
        <div className="truncate text-muted text-xs max-md:hidden">{node.addresses[1]}</div>
      </Cell>
      <Cell className="max-md:col-span-2 max-md:col-start-2 max-md:row-start-3">
        <PathSummary paths={seen?.paths} />
      </Cell>
      <Cell className="text-sm max-md:col-start-3 max-md:row-start-2 max-md:text-right">
        <SeenCell entry={entry} />
      </Cell>
      <Cell className="truncate text-sm max-xl:hidden">{seen?.version ?? node.agentVersion ?? '—'}</Cell>
      <Cell className="max-xl:hidden">
        <TrafficCell entry={entry} traffic={traffic} />
      </Cell>
      <Cell className="max-xl:hidden">
        <Tags tags={node.tags} />
      </Cell>
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: as above
    // biome-ignore-end lint/a11y/useSemanticElements: as above
  );
}

const Cell = ({ className, children }: { className: string; children: ReactNode }) => (
  // biome-ignore lint/a11y/useSemanticElements: as above
  <div role="cell" className={cx('min-w-0', className)}>
    {children}
  </div>
);

const ROLES = { bounce: 'Bounce', direct: 'Direct', client: 'Client' } as const;

function NameCell({ network, entry: { node, seen } }: { network: string; entry: NodeEntry }) {
  const warning = warningOf(node, seen);
  return (
    <>
      <div className="flex min-w-0 items-center gap-1.5">
        <Link
          to="/n/$network/nodes/$id"
          params={{ network, id: node.id }}
          search={{}}
          className="truncate font-medium hover:underline"
        >
          {node.name}
        </Link>
        {warning && (
          <span title={warning} className="shrink-0 text-warn">
            <TriangleAlert aria-hidden size={15} />
            <span className="sr-only">{warning}</span>
          </span>
        )}
      </div>
      <div className="truncate text-muted text-xs">
        {ROLES[node.role]}
        {node.kind === 'vanilla' && ', vanilla'}
        {node.ephemeral && ', ephemeral'}
      </div>
    </>
  );
}

/** The first thing that an operator should look at; undefined: nothing. */
function warningOf(node: NodeEntry['node'], seen: NodeEntry['seen']): string | undefined {
  if (node.status === 'revoked') return undefined;
  if (node.cloneNoticedAt !== null) return 'A copy of its state directory was noticed';
  if (node.unavailable) return 'Held for dead: nobody is homed there';
  if (node.lanClashes.length > 0) return 'The network overlaps a LAN of its host';
  return seen?.warnings[0]?.message;
}

function SeenCell({ entry: { node, seen, state } }: { entry: NodeEntry }) {
  if (state === 'online') return <span>Now</span>;
  const at = seen?.lastSeenAt ?? node.lastSeenAt;
  return at === null ? <span className="text-muted">Never</span> : <Time at={at} />;
}

function TrafficCell({ entry: { seen, node }, traffic }: { entry: NodeEntry; traffic: readonly number[] | undefined }) {
  const rate = seen ? seen.rxRate + seen.txRate : 0;
  const sum = traffic?.reduce((total, bytes) => total + bytes, 0) ?? 0;
  if (rate === 0 && sum === 0) return <span className="text-muted text-sm">—</span>;
  return (
    <div className="flex flex-col">
      <Sparkline values={traffic ?? []} label={`Traffic of ${node.name}: ${formatBytes(sum)} in half an hour`} />
      <span className="whitespace-nowrap text-muted text-xs tabular-nums">{formatRate(rate)}</span>
    </div>
  );
}

const Tags = ({ tags }: { tags: readonly string[] }) => (
  <div className="flex items-center gap-1 overflow-hidden" title={tags.join(', ')}>
    {tags.slice(0, 1).map((tag) => (
      <Badge key={tag}>
        <span className="max-w-16 truncate">{tag}</span>
      </Badge>
    ))}
    {tags.length > 1 && <Badge>+{tags.length - 1}</Badge>}
  </div>
);
