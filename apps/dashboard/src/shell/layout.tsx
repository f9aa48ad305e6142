import { useQuery } from '@tanstack/react-query';
import { Outlet, useParams, useRouterState } from '@tanstack/react-router';
import { Menu as MenuIcon, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { live } from '../api/live.js';
import { networksQuery } from '../api/queries.js';
import { IconButton } from '../ui/button.js';
import { cx } from '../ui/class-names.js';
import { ConnectionBanner } from './connection-banner.js';
import { lastNetwork } from './last-network.js';
import { Navigation } from './navigation.js';

const CommandPalette = lazy(() =>
  import('./command-palette.js').then(({ CommandPalette }) => ({ default: CommandPalette })),
);

/** Everything around a view for who is signed in: navigation, live connection, command palette. */
export function Layout() {
  const [navigating, setNavigating] = useState(false);
  const [palette, setPalette] = useState(false);
  const network = useCurrentNetwork();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  usePaletteKey(() => setPalette((open) => !open));
  const { pathname } = useRouterState({ select: ({ location }) => location });
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever went somewhere has chosen
  useEffect(() => setNavigating(false), [pathname]);
  return (
    <div className="flex min-h-dvh flex-col lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-line border-b bg-surface px-2 lg:hidden">
        <IconButton
          label={navigating ? 'Close navigation' : 'Open navigation'}
          aria-expanded={navigating}
          onClick={() => setNavigating(!navigating)}
        >
          {navigating ? <X aria-hidden size={20} /> : <MenuIcon aria-hidden size={20} />}
        </IconButton>
        <span className="font-semibold">Warren</span>
        <span className="truncate text-muted">{network}</span>
      </header>
      <div
        className={cx(
          'border-line bg-surface lg:sticky lg:top-0 lg:block lg:h-dvh lg:border-r',
          navigating ? 'fixed inset-x-0 top-12 bottom-0 z-30 overflow-y-auto' : 'hidden',
        )}
      >
        <Navigation network={network} onPalette={() => setPalette(true)} />
      </div>
      <main id="main" tabIndex={-1} className="relative flex min-w-0 grow flex-col outline-none">
        <ConnectionBanner />
        <Outlet />
      </main>
      <Suspense>{palette && <CommandPalette network={network} onClose={() => setPalette(false)} />}</Suspense>
    </div>
  );
}

/** The network in the address, else the one looked at last, else the first. */
function useCurrentNetwork(): string | undefined {
  const { network } = useParams({ strict: false });
  const networks = useQuery(networksQuery).data;
  useEffect(() => {
    if (network !== undefined) lastNetwork.set(network);
  }, [network]);
  if (network !== undefined) return network;
  const last = lastNetwork.get();
  return networks?.some(({ name }) => name === last) ? last : networks?.[0]?.name;
}

/** Ctrl+K, and Command+K. */
function usePaletteKey(toggle: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      toggle();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });
}
