import { useRef } from 'react';

/** Places that are gone when a dialog closes. */
const FLEETING = '[role=dialog], [role=menu]';
let last: HTMLElement | undefined;

/** Remembers where the focus is on the page itself; once, at the start. */
export function watchFocus(): void {
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && !target.closest(FLEETING)) last = target;
  });
}

/**
 * Gives the focus back to where it was before a dialog, for the dialog's content. Radix does so for its own triggers only,
 * and would leave who opened it otherwise, from a menu for example, at the top of the page.
 */
export function useFocusReturn() {
  const before = useRef<HTMLElement>(undefined);
  return {
    onOpenAutoFocus: (): void => {
      before.current = last;
    },
    onCloseAutoFocus: (event: Event): void => {
      if (!before.current?.isConnected) return;
      event.preventDefault();
      before.current.focus();
    },
  };
}
