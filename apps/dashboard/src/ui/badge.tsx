import type { ReactNode } from 'react';
import { cx } from './class-names.js';

export type BadgeTone = 'good' | 'warn' | 'bad' | 'neutral' | 'accent';

const TONES: Record<BadgeTone, string> = {
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  neutral: 'bg-sunken text-muted',
  accent: 'bg-accent-soft text-accent',
};

export const Badge = ({
  tone = 'neutral',
  children,
  title,
}: {
  tone?: BadgeTone;
  children: ReactNode;
  title?: string;
}) => (
  <span
    title={title}
    className={cx(
      'inline-flex items-center gap-1 whitespace-nowrap rounded-full px-2 py-0.5 font-medium text-xs',
      TONES[tone],
    )}
  >
    {children}
  </span>
);

/** Said in words beside it: colour alone tells nothing. */
export const Dot = ({ tone }: { tone: BadgeTone }) => (
  <span
    aria-hidden
    className={cx(
      'inline-block size-2 shrink-0 rounded-full',
      { good: 'bg-good', warn: 'bg-warn', bad: 'bg-bad', neutral: 'bg-line-strong', accent: 'bg-accent' }[tone],
    )}
  />
);
