import type { TopologyNode } from '../../api/telemetry.js';

/** Kinds of path in the order in which they are good, each with its mark. */
const KINDS = [
  { key: 'direct', name: 'direct', mark: 'bg-path-direct' },
  { key: 'relay', name: 'relay', mark: 'bg-path-relay' },
  { key: 'bounce', name: 'bounce', mark: 'bg-path-bounce' },
  { key: 'none', name: 'no path', mark: 'bg-path-none' },
] as const;

/** How many of a node's paths are of which kind: a bar, and the same in words. */
export function PathSummary({ paths }: { paths: TopologyNode['paths'] | undefined }) {
  const total = paths ? paths.direct + paths.relay + paths.bounce + paths.none : 0;
  if (!paths || total === 0) return <span className="text-muted text-sm">—</span>;
  const there = KINDS.filter(({ key }) => paths[key] > 0);
  const words = there.map(({ key, name }) => `${paths[key].toLocaleString('en')} ${name}`).join(', ');
  return (
    <div className="min-w-0" title={words}>
      <div aria-hidden className="mb-1 flex h-1.5 max-w-32 gap-px overflow-hidden rounded-full">
        {there.map(({ key, mark }) => (
          <span key={key} className={mark} style={{ flexGrow: paths[key], minWidth: 3 }} />
        ))}
      </div>
      <div className="truncate text-muted text-xs">{words}</div>
    </div>
  );
}
