/** A view of the page, by its address. */
export interface View {
  readonly name: string;
  readonly path: string;
  /** Its first heading. */
  readonly heading: string | RegExp;
}

/** Views of who is signed in; `node` is the id of one of the network's nodes. */
export const views = (node: string, peer: string): View[] => [
  { name: 'topology', path: '/n/default/topology', heading: 'Topology' },
  { name: 'topology-node', path: `/n/default/topology?node=${node}`, heading: 'Topology' },
  { name: 'topology-pair', path: `/n/default/topology?node=${node}&peer=${peer}`, heading: 'Topology' },
  { name: 'topology-table', path: '/n/default/topology?view=table', heading: 'Topology' },
  { name: 'nodes', path: '/n/default/nodes', heading: 'Nodes' },
  { name: 'node', path: `/n/default/nodes/${node}`, heading: /./ },
  { name: 'add-agent', path: '/n/default/add', heading: 'Add a peer' },
  { name: 'add-device', path: '/n/default/add?kind=device', heading: 'Add a peer' },
  { name: 'tokens', path: '/n/default/tokens', heading: 'Tokens' },
  { name: 'settings', path: '/n/default/settings', heading: /settings|default/i },
  { name: 'networks', path: '/networks', heading: 'Networks' },
  { name: 'signals', path: '/signals', heading: 'Signal servers' },
  { name: 'api-keys', path: '/api-keys', heading: 'API keys' },
  { name: 'sessions', path: '/sessions', heading: 'Sessions' },
  { name: 'log', path: '/log', heading: 'Log of changes' },
  { name: 'health', path: '/health', heading: 'Health' },
];

/** Views of who is not. */
export const STRANGERS_VIEWS: readonly View[] = [
  { name: 'sign-in', path: '/sign-in', heading: /./ },
  { name: 'welcome', path: '/welcome#warrenlink_not-a-link', heading: /./ },
];
