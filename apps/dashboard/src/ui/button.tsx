import type { ComponentProps, ReactNode } from 'react';
import { cx } from './class-names.js';

type Tone = 'primary' | 'plain' | 'quiet' | 'danger';

const TONES: Record<Tone, string> = {
  primary: 'bg-accent text-accent-ink hover:brightness-110 border-transparent',
  plain: 'bg-raised text-ink border-line-strong/60 hover:border-line-strong hover:bg-sunken',
  quiet: 'bg-transparent text-ink border-transparent hover:bg-sunken',
  danger: 'bg-bad-fill text-white border-transparent hover:brightness-110',
};

export interface ButtonProps extends ComponentProps<'button'> {
  readonly tone?: Tone;
  readonly icon?: ReactNode;
  /** The work that it began is under way: it cannot be pressed again. */
  readonly busy?: boolean;
  readonly small?: boolean;
}

/** At least 24 by 24 CSS pixels (WCAG 2.2, 2.5.8); 40 high where it is the main thing. */
export function Button({ tone = 'plain', icon, busy, small, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        'inline-flex items-center justify-center gap-2 rounded-lg border font-medium whitespace-nowrap transition-colors',
        'disabled:opacity-55 disabled:cursor-not-allowed',
        small ? 'h-8 px-2.5 text-sm' : 'h-10 px-4',
        TONES[tone],
        className,
      )}
    >
      {icon}
      {children}
    </button>
  );
}

/** A button that shows an icon alone; `label` is its name and its tooltip. */
export function IconButton({
  label,
  className,
  children,
  ...rest
}: ComponentProps<'button'> & { readonly label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        'inline-flex size-9 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink disabled:opacity-50',
        className,
      )}
    >
      {children}
    </button>
  );
}
