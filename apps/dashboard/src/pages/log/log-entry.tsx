import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { memo, useState } from 'react';
import type { actorText } from '../../shell/actor.js';
import { cx } from '../../ui/class-names.js';
import { CopyBlock } from '../../ui/copy.js';
import { Facts } from '../../ui/page.js';
import { Time } from '../../ui/time.js';
import { EntryPart } from './entry-parts.js';
import { type AuditEntry, sentenceOf } from './sentences.js';

interface LogEntryProps {
  readonly entry: AuditEntry;
  readonly nameOf: Parameters<typeof actorText>[1];
  /** So far down that it is drawn only when it comes into view. */
  readonly far: boolean;
}

/** A sentence; what exactly was recorded when it is opened. */
export const LogEntry = memo(function LogEntry({ entry, nameOf, far }: LogEntryProps) {
  const [open, setOpen] = useState(false);
  const id = `entry-${entry.id}`;
  return (
    <li
      className={cx(
        'border-line border-b last:border-b-0',
        far && '[contain-intrinsic-size:auto_3.5rem] [content-visibility:auto]',
      )}
    >
      <div className="flex items-start gap-2 px-2 py-2.5 sm:px-3">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          aria-label="Details of this entry"
          onClick={() => setOpen(!open)}
          className="mt-0.5 flex size-6 shrink-0 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
        >
          <ChevronRight aria-hidden size={16} className={cx('transition-transform', open && 'rotate-90')} />
        </button>
        <div className="flex min-w-0 grow flex-col gap-x-4 sm:flex-row sm:items-baseline">
          <p className="min-w-0 grow break-words">
            {sentenceOf(entry).map((part, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence never change places
              <EntryPart key={index} part={part} entry={entry} nameOf={nameOf} />
            ))}
          </p>
          <span className="shrink-0 text-muted text-sm">
            <Time at={entry.at} />
          </span>
        </div>
      </div>
      {open && (
        <div id={id} className="border-line border-t bg-sunken/50 px-4 py-3 sm:pl-12">
          <Details entry={entry} />
        </div>
      )}
    </li>
  );
});

const FILTER = 'text-accent underline-offset-2 hover:underline';

function Details({ entry }: { entry: AuditEntry }) {
  const { id, at, actor, action, subject, networkId, details } = entry;
  const json = JSON.stringify(details, null, 2);
  return (
    <div className="flex flex-col gap-3">
      <Facts
        facts={[
          [
            'Time',
            <span key="at">{new Date(at).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' })}</span>,
          ],
          [
            'Action',
            <span key="action">
              <code>{action}</code>{' '}
              <Link to="/log" search={{ action }} className={FILTER}>
                only these
              </Link>
            </span>,
          ],
          [
            'By',
            <span key="actor">
              <code className="break-all">{actor}</code>{' '}
              <Link to="/log" search={{ actor }} className={FILTER}>
                all by them
              </Link>
            </span>,
          ],
          [
            'Subject',
            <span key="subject">
              <code className="break-all">{subject}</code>{' '}
              <Link to="/log" search={{ subject }} className={FILTER}>
                all about it
              </Link>
            </span>,
          ],
          ...(networkId === null ? [] : [['Network', <code key="network">{networkId}</code>] as const]),
          ['Entry', <code key="id">{id}</code>],
        ]}
      />
      {json !== '{}' && <CopyBlock text={json} what="the details" />}
    </div>
  );
}
