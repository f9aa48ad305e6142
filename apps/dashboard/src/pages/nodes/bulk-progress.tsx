import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';
import { plural } from '../../ui/format.js';
import type { BulkProgress, BulkRun } from './bulk.js';

const MOST_FAILURES = 200;

/** How far bulk work is, and who failed why. */
export function BulkProgressView({
  progress,
  onStop,
  onClose,
  onRetry,
  ...run
}: BulkRun & {
  readonly progress: BulkProgress;
  readonly onStop: () => void;
  readonly onClose: () => void;
  readonly onRetry: (run: BulkRun) => void;
}) {
  const { total, done, failures, waiting, finished } = progress;
  const again = (): void => onRetry({ ...run, tasks: failures });
  return (
    <Dialog open onClose={() => finished && onClose()} title={run.title}>
      <div className="flex flex-col gap-4">
        <div role="status" className="flex flex-col gap-2">
          <div
            role="progressbar"
            aria-label={run.title}
            aria-valuemin={0}
            aria-valuemax={total}
            aria-valuenow={done}
            className="h-2 overflow-hidden rounded-full bg-sunken"
          >
            <div className="h-full rounded-full bg-accent" style={{ width: `${(100 * done) / Math.max(total, 1)}%` }} />
          </div>
          <p>{summary(progress)}</p>
          {waiting && <p className="text-muted">The control plane asked to wait a moment.</p>}
        </div>
        {failures.length > 0 && (
          <ul
            aria-label="What failed"
            className="flex max-h-64 flex-col gap-2 overflow-y-auto rounded-xl bg-bad-soft p-3"
          >
            {failures.slice(0, MOST_FAILURES).map(({ id, name, message }) => (
              <li key={id}>
                <strong>{name}</strong>: {message}
              </li>
            ))}
            {failures.length > MOST_FAILURES && <li>and {failures.length - MOST_FAILURES} more</li>}
          </ul>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {finished ? (
            <>
              {failures.length > 0 && <Button onClick={again}>Try these again</Button>}
              <Button tone="primary" onClick={onClose}>
                Close
              </Button>
            </>
          ) : (
            <Button onClick={onStop}>Stop</Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function summary({ total, done, failures, finished }: BulkProgress): string {
  if (!finished) return `${done} of ${total}`;
  const good = done - failures.length;
  const parts = [`${plural(good, 'node')} done`];
  if (failures.length > 0) parts.push(`${failures.length} failed`);
  if (done < total) parts.push(`${total - done} not begun`);
  return parts.join(', ');
}
