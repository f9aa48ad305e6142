import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { messageOf } from '../api/client.js';
import { Button } from '../ui/button.js';
import { useTitle } from '../ui/page.js';

/** An address that leads nowhere. */
export function NotFound() {
  useTitle('Not found');
  return (
    <div className="m-auto flex max-w-md flex-col gap-3 p-6">
      <h1 className="font-semibold text-2xl">There is nothing at this address</h1>
      <p className="text-muted">It may have been removed, or the link is incomplete.</p>
      <Link to="/" className="text-accent underline">
        Go to the topology
      </Link>
    </div>
  );
}

/** A view that could not be shown. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  useTitle('Error');
  const loadAgain = (): void => {
    reset();
    window.location.reload();
  };
  return (
    <div role="alert" className="m-auto flex max-w-md flex-col items-start gap-3 p-6">
      <h1 className="font-semibold text-2xl">This view could not be shown</h1>
      <p className="break-words">{messageOf(error)}</p>
      <Button tone="primary" onClick={loadAgain}>
        Load it again
      </Button>
    </div>
  );
}
