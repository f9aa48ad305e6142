import type { ComponentProps, ReactNode } from 'react';
import { cx } from './class-names.js';

/** What is placed absolutely in it, as text for screen readers is, must not widen the page. */
const SCROLLS = 'relative overflow-x-auto rounded-2xl border border-line bg-surface';

/** Scrolls sideways on its own where it is too wide, so that the page does not. */
export const Table = ({ label, children, className }: { label: string; children: ReactNode; className?: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it has to be reachable by keyboard
  <section aria-label={label} tabIndex={0} className={SCROLLS}>
    <table className={cx('w-full border-collapse text-left', className)}>
      <caption className="sr-only">{label}</caption>
      {children}
    </table>
  </section>
);
export const Th = ({ className, ...rest }: ComponentProps<'th'>) => (
  <th
    scope="col"
    {...rest}
    className={cx('whitespace-nowrap border-line border-b px-3 py-2 font-medium text-muted text-sm', className)}
  />
);
export const Td = ({ className, ...rest }: ComponentProps<'td'>) => (
  <td {...rest} className={cx('border-line border-b px-3 py-2 align-middle', className)} />
);
export const Tr = ({ className, ...rest }: ComponentProps<'tr'>) => (
  <tr {...rest} className={cx('last:[&>td]:border-b-0 hover:bg-sunken/60', className)} />
);
