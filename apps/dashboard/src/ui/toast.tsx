import { X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { IconButton } from './button.js';
import { cx } from './class-names.js';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

/** What went well goes by itself; what went wrong stays until it was read. Milliseconds. */
const SHOWN = 5_000;
const MOST = 4;

let toasts: readonly Toast[] = [];
let next = 0;
const listeners = new Set<() => void>();

function set(value: readonly Toast[]): void {
  toasts = value;
  for (const listener of listeners) listener();
}
const dismiss = (id: number): void => set(toasts.filter((toast) => toast.id !== id));

function show(tone: Toast['tone'], text: string): void {
  next += 1;
  const id = next;
  set([...toasts.filter((toast) => toast.text !== text), { id, tone, text }].slice(-MOST));
  if (tone === 'good') setTimeout(() => dismiss(id), SHOWN);
}

/** Short messages that belong to no place on the page. */
export const toast = {
  good: (text: string) => show('good', text),
  bad: (text: string) => show('bad', text),
};

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export function ToastRegion() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section
      aria-label="Messages"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-3 z-[60] flex flex-col items-end gap-2"
    >
      {shown.map(({ id, tone, text }) => (
        <div
          key={id}
          role={tone === 'bad' ? 'alert' : 'status'}
          className={cx(
            'pointer-events-auto flex max-w-md items-start gap-2 rounded-xl border px-4 py-3 shadow-lg',
            tone === 'bad' ? 'border-bad bg-bad-soft text-ink' : 'border-line bg-raised',
          )}
        >
          <p className="min-w-0 grow break-words">{text}</p>
          <IconButton label="Dismiss" onClick={() => dismiss(id)} className="-my-1.5 -mr-2 size-8">
            <X aria-hidden size={15} />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
