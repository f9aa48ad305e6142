import { useBlocker } from '@tanstack/react-router';
import { ConfirmDialog } from '../../ui/dialog.js';

/** Asks before a private key goes that exists nowhere else yet. */
export function LeaveGuard({ name, closing, onClose, onStay }: GuardProps) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => true,
    enableBeforeUnload: true,
    withResolver: true,
  });
  const blocked = status === 'blocked';
  return (
    <ConfirmDialog
      open={blocked || closing}
      onClose={() => (blocked ? reset() : onStay())}
      title={`Does ${name} have its file?`}
      action="Forget the private key"
      onConfirm={() => {
        onClose();
        if (blocked) proceed();
      }}
    >
      <p>
        The private key of {name} is in this page only. Once you go on it is gone, and nobody can bring it back: without
        it, {name} needs another key.
      </p>
    </ConfirmDialog>
  );
}

interface GuardProps {
  readonly name: string;
  /** Somebody pressed the button that ends it. */
  readonly closing: boolean;
  readonly onClose: () => void;
  readonly onStay: () => void;
}
