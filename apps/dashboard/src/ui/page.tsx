import { type ReactNode, useEffect } from 'react';
import { cx } from './class-names.js';

/** Title, what it is about, actions, content: every view but the graph. */
export function Page({
  title,
  lead,
  actions,
  children,
  wide,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}) {
  useTitle(title);
  return (
    <div className={cx('mx-auto flex w-full flex-col gap-5 px-4 py-5 sm:px-6', wide ? 'max-w-7xl' : 'max-w-5xl')}>
      <header className="flex flex-wrap items-end gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
          {lead && <div className="mt-0.5 text-muted">{lead}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** The document's title: what tabs, bookmarks and screen readers say. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Warren`;
  }, [title]);
}

/** A surface with an optional heading. */
export const Card = ({
  title,
  actions,
  children,
  className,
}: {
  title?: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) => (
  <section className={cx('rounded-2xl border border-line bg-surface', className)}>
    {title && (
      <header className="flex min-h-12 flex-wrap items-center gap-2 border-line border-b px-4 py-2">
        <h2 className="grow font-semibold">{title}</h2>
        {actions}
      </header>
    )}
    <div className="p-4">{children}</div>
  </section>
);

/** Names and values. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <dl className="grid items-baseline gap-x-4 sm:grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] sm:gap-y-2">
    {facts.map(([name, value]) => (
      <div key={name} className="contents">
        <dt className="text-muted max-sm:text-sm">{name}</dt>
        <dd className="min-w-0 break-words max-sm:mb-2.5">{value}</dd>
      </div>
    ))}
  </dl>
);
