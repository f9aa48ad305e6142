import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { messageOf } from '../api/client.js';
import { Button } from './button.js';

/** Nothing is here yet, and what to do next. */
export const EmptyState = ({
  title,
  children,
  action,
  icon,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}) => (
  <div className="flex flex-col items-center gap-3 rounded-2xl border border-line-strong/50 border-dashed px-6 py-12 text-center">
    {icon && <div className="text-muted">{icon}</div>}
    <h2 className="font-semibold text-lg">{title}</h2>
    {children && <div className="max-w-prose text-muted">{children}</div>}
    {action}
  </div>
);

/** Something could not be had: why, and a way to try again. */
export const ErrorState = ({ error, onRetry }: { error: unknown; onRetry?: () => void }) => (
  <div role="alert" className="flex items-start gap-3 rounded-xl border border-bad bg-bad-soft px-4 py-3">
    <CircleAlert aria-hidden size={20} className="mt-0.5 shrink-0 text-bad" />
    <p className="min-w-0 grow break-words">{messageOf(error)}</p>
    {onRetry && (
      <Button small onClick={onRetry}>
        Try again
      </Button>
    )}
  </div>
);

/** Holds the place of what is being loaded, so that nothing jumps. */
export const Skeleton = ({ className }: { className?: string }) => (
  <div aria-hidden className={`animate-pulse rounded-lg bg-sunken ${className ?? 'h-5 w-full'}`} />
);
