import { ShieldAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTitle } from '../../ui/page.js';

/** What is seen before anybody is signed in: one card in the middle. */
export function Door({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center px-4 py-8">
      <div className="flex w-full max-w-sm flex-col gap-5 rounded-2xl border border-line bg-surface p-6 shadow-sm">
        <header className="flex flex-col gap-1">
          <p className="flex items-center gap-2 font-semibold text-muted text-sm">
            <img src="/favicon.svg" alt="" width={20} height={20} />
            Warren
          </p>
          <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
          {lead && <p className="text-muted">{lead}</p>}
        </header>
        {children}
      </div>
    </main>
  );
}

/** Said before a password is typed where others could read it. */
export const ClearTextWarning = () => (
  <div role="note" className="flex items-start gap-2.5 rounded-xl border border-warn bg-warn-soft px-3 py-2.5 text-sm">
    <ShieldAlert aria-hidden size={18} className="mt-0.5 shrink-0 text-warn" />
    <p>
      This connection is not encrypted: whoever is between you and the control plane can read your password. Put a TLS
      proxy in front of it, or come through <code>ssh -L 8080:127.0.0.1:8080</code>.
    </p>
  </div>
);

/** How somebody gets in who has no password. */
export const LinkHelp = () => (
  <p>
    On the machine of the control plane, <code>warren admin link</code> prints a link that sets one.
  </p>
);
