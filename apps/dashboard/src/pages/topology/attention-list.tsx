import { Link } from '@tanstack/react-router';
import { ChevronDown, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { Dot } from '../../ui/badge.js';
import { cx } from '../../ui/class-names.js';
import { plural } from '../../ui/format.js';
import type { Attention } from './model/attention.js';
import type { Mesh } from './model/mesh.js';

/** Of one thing that is wrong; the rest is a filter away. */
const MOST_NAMED = 8;

/** What is wrong at a glance, and where to go about it. */
export function AttentionList({
  network,
  attention,
  mesh,
}: {
  network: string;
  attention: readonly Attention[];
  mesh: Mesh;
}) {
  const [open, setOpen] = useState(false);
  if (attention.length === 0) return null;
  const bad = attention.some(({ tone }) => tone === 'bad');
  return (
    <section aria-label="Needs attention" className="max-w-full rounded-xl border border-line bg-raised text-sm">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-9 w-full items-center gap-2 px-3 py-1.5 text-left font-medium"
      >
        <TriangleAlert aria-hidden size={16} className={cx('shrink-0', bad ? 'text-bad' : 'text-warn')} />
        <span className="grow">
          {attention.length === 1 ? attention[0]!.title : `${plural(attention.length, 'thing')} to look at`}
        </span>
        <ChevronDown aria-hidden size={15} className={cx('shrink-0 transition-transform', !open && '-rotate-90')} />
      </button>
      {open && (
        <ul className="flex max-h-[45dvh] w-80 max-w-full flex-col gap-3 overflow-y-auto px-3 pb-3">
          {attention.map((one) => (
            <Item key={one.code} {...{ network, one, mesh }} />
          ))}
        </ul>
      )}
    </section>
  );
}

const LINK = 'rounded text-accent underline-offset-2 hover:underline';

function Item({ network, one, mesh }: { network: string; one: Attention; mesh: Mesh }) {
  const { tone, title, nodes, pairs } = one;
  const more = nodes.length + pairs.length - MOST_NAMED;
  const name = (id: string): string => mesh.nodes.get(id)?.name ?? id;
  return (
    <li>
      <p className="flex items-center gap-2 font-medium">
        <Dot tone={tone} />
        {title}
      </p>
      <ul className="mt-1 flex flex-col gap-0.5 pl-4">
        {pairs.slice(0, MOST_NAMED).map(({ a, b, reason }) => (
          <li key={`${a} ${b}`} className="min-w-0 break-words">
            <Link
              to="/n/$network/topology"
              params={{ network }}
              search={(before) => ({ ...before, node: a, peer: b })}
              className={LINK}
            >
              {name(a)} – {name(b)}
            </Link>
            {reason && <span className="text-muted">: {reason}</span>}
          </li>
        ))}
        {nodes.slice(0, Math.max(0, MOST_NAMED - pairs.length)).map(({ id, name: called, message }) => (
          <li key={id} className="min-w-0 break-words">
            <Link to="/n/$network/nodes/$id" params={{ network, id }} search={{}} className={LINK}>
              {called}
            </Link>
            {message && <span className="text-muted">: {message}</span>}
          </li>
        ))}
        {more > 0 && <li className="text-muted">and {more.toLocaleString('en')} more</li>}
      </ul>
    </li>
  );
}
