import { CloudOff } from 'lucide-react';
import { live, useLiveStatus } from '../api/live.js';
import { Button } from '../ui/button.js';
import { Time } from '../ui/time.js';

/** Says that what is shown may be old, and since when. In its own place over the view, so that nothing moves. */
export function ConnectionBanner() {
  const status = useLiveStatus();
  const text =
    status === 'lost'
      ? 'The control plane cannot be reached. Hosts go on talking to each other; what you see may be old.'
      : undefined;
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none sticky top-12 z-20 h-0 lg:top-0"
      data-live={status}
    >
      {text && (
        <div className="pointer-events-auto mx-auto flex max-w-3xl flex-wrap items-center gap-x-3 gap-y-1 rounded-b-xl border border-warn border-t-0 bg-warn-soft px-4 py-2 text-ink shadow-md">
          <CloudOff aria-hidden size={18} className="text-warn" />
          <span className="min-w-0 grow">
            {text} Since <Time at={live.since} />.
          </span>
          <Button small onClick={() => live.retry()}>
            Try now
          </Button>
        </div>
      )}
    </div>
  );
}
