import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { whenSignedOut } from './api/client.js';
import { live } from './api/live.js';
import { networksQuery } from './api/queries.js';
import { queryClient } from './api/query-client.js';
import { forgetSession, sessionQuery } from './api/session.js';
import { lastNetwork } from './shell/last-network.js';
import { Layout } from './shell/layout.js';
import { NotFound, RouteError } from './shell/route-errors.js';

/** Each view is a file of its own that is loaded when it is looked at. Its address holds all that it shows. */

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: RouteError });

/** The named texts of an address that are there and not empty. */
const texts =
  <K extends string>(...names: readonly K[]) =>
  (search: Record<string, unknown>): { readonly [name in K]?: string } =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = search[name];
        // The router reads what looks like a number as one.
        const text = typeof value === 'number' ? String(value) : value;
        return typeof text === 'string' && text !== '' ? [[name, text]] : [];
      }),
    ) as { readonly [name in K]?: string };

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: texts('next'),
  component: lazyRouteComponent(() => import('./pages/session/sign-in.js'), 'SignIn'),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: lazyRouteComponent(() => import('./pages/session/welcome.js'), 'Welcome'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ location }) => {
    if (await queryClient.ensureQueryData(sessionQuery)) return;
    throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
  },
  component: Layout,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: async () => {
    const networks = await queryClient.ensureQueryData(networksQuery);
    const last = lastNetwork.get();
    const network = networks.find(({ name }) => name === last)?.name ?? networks[0]?.name;
    if (network === undefined) throw redirect({ to: '/networks' });
    throw redirect({ to: '/n/$network/topology', params: { network }, search: {} });
  },
});

/** What of the topology is shown; all of it is in the address. */
export interface TopologySearch {
  readonly view?: 'table';
  /** Id of the selected node, and of the other one of a pair. */
  readonly node?: string;
  readonly peer?: string;
  readonly q?: string;
  readonly tag?: string;
  readonly state?: string;
  readonly path?: string;
  /** Shapes of the legend. */
  readonly role?: string;
  /** What stands together; nothing: as many nodes ask for it. */
  readonly group?: string;
  /** Of the table. */
  readonly list?: 'links';
  readonly sort?: string;
}

const topology = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/topology',
  validateSearch: (search: Record<string, unknown>): TopologySearch => ({
    ...texts('node', 'peer', 'q', 'tag', 'state', 'path', 'role', 'group', 'sort')(search),
    ...(search.view === 'table' && { view: 'table' }),
    ...(search.list === 'links' && { list: 'links' }),
  }),
  component: lazyRouteComponent(() => import('./pages/topology/topology-page.js'), 'TopologyPage'),
});

const nodes = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/nodes',
  validateSearch: texts('q', 'tag', 'state', 'role', 'sort'),
  component: lazyRouteComponent(() => import('./pages/nodes/nodes-page.js'), 'NodesPage'),
});
const node = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/nodes/$id',
  validateSearch: texts('tab', 'peer'),
  component: lazyRouteComponent(() => import('./pages/nodes/node-page.js'), 'NodePage'),
});
const add = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/add',
  validateSearch: (search: Record<string, unknown>): { readonly kind?: 'device' } =>
    search.kind === 'device' ? { kind: 'device' } : {},
  component: lazyRouteComponent(() => import('./pages/add/add-page.js'), 'AddPage'),
});
const tokens = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/tokens',
  component: lazyRouteComponent(() => import('./pages/tokens/tokens-page.js'), 'TokensPage'),
});
const settings = createRoute({
  getParentRoute: () => signedIn,
  path: '/n/$network/settings',
  validateSearch: texts('tab'),
  component: lazyRouteComponent(() => import('./pages/networks/settings-page.js'), 'SettingsPage'),
});

const networks = createRoute({
  getParentRoute: () => signedIn,
  path: '/networks',
  component: lazyRouteComponent(() => import('./pages/networks/networks-page.js'), 'NetworksPage'),
});
const apiKeys = createRoute({
  getParentRoute: () => signedIn,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('./pages/api-keys/api-keys-page.js'), 'ApiKeysPage'),
});
const sessions = createRoute({
  getParentRoute: () => signedIn,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./pages/session/sessions-page.js'), 'SessionsPage'),
});
const log = createRoute({
  getParentRoute: () => signedIn,
  path: '/log',
  validateSearch: texts('q', 'action', 'actor', 'subject', 'network'),
  component: lazyRouteComponent(() => import('./pages/log/log-page.js'), 'LogPage'),
});
const signals = createRoute({
  getParentRoute: () => signedIn,
  path: '/signals',
  component: lazyRouteComponent(() => import('./pages/signals/signals-page.js'), 'SignalsPage'),
});
const health = createRoute({
  getParentRoute: () => signedIn,
  path: '/health',
  component: lazyRouteComponent(() => import('./pages/health/health-page.js'), 'HealthPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    welcome,
    signedIn.addChildren([
      home,
      topology,
      nodes,
      node,
      add,
      tokens,
      settings,
      networks,
      apiKeys,
      sessions,
      log,
      signals,
      health,
    ]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

/** Whose session has ended signs in again, and comes back to where they were. */
function leave(): void {
  if (queryClient.getQueryData(sessionQuery.queryKey) == null) return;
  const next = router.state.location.href;
  void forgetSession(() => router.navigate({ to: '/sign-in', search: { next } }));
}
whenSignedOut(leave);
// A page that only listens hears of it by its events, which come no more.
live.subscribe(() => {
  if (live.status === 'refused') leave();
});
