import type { ClientConfig } from '../config.js';
import type { NameKind } from './completion.js';
import { readContexts } from './contexts.js';
import { printable } from './display-text.js';
import { createRestClient } from './rest-client.js';
import { findTarget } from './target.js';

/** Milliseconds: whoever presses the tab key waits. */
const PATIENCE = 1_500;
/** More than anybody would choose from. */
const MOST = 500;

interface Named {
  readonly id: string;
  readonly name?: string | null;
  readonly network?: string;
  readonly status?: string;
  readonly cidrs?: readonly string[];
  readonly role?: string | null;
  readonly region?: string;
  readonly revokedAt?: string | null;
}

/** Names for the shell, `name<tab>description` each. @throws what the control plane's absence throws; nobody shows it. */
export async function completeNames(kind: NameKind, config: ClientConfig, network?: string): Promise<string[]> {
  if (kind === 'context') {
    const { contexts } = await readContexts(config.contextsFile);
    return Object.entries(contexts).map(([name, { url }]) => line(name, url));
  }
  const rest = createRestClient(await findTarget(config), { timeout: PATIENCE, signal: AbortSignal.timeout(PATIENCE) });
  const within = network === undefined ? '' : `&network=${encodeURIComponent(network)}`;
  const path = {
    network: `/networks?limit=${MOST}`,
    node: `/nodes?limit=${MOST}${within}`,
    token: `/tokens?limit=${MOST}${within}`,
    apikey: `/apikeys?limit=${MOST}`,
    server: '/signal-servers',
  }[kind];
  const { items } = (await rest.call('GET', path)) as { items: readonly Named[] };
  return items.filter(({ revokedAt }) => kind === 'node' || !revokedAt).map((item) => lineOf(kind, item));
}

function lineOf(kind: NameKind, item: Named): string {
  if (kind === 'network') return line(item.name ?? item.id, item.cidrs?.join(', '));
  if (kind === 'node') return line(item.name ?? item.id, `${item.role} in ${item.network}, ${item.status}`);
  return line(item.id, item.name ?? item.role ?? item.region ?? '');
}

const line = (name: string, description = ''): string => `${printable(name)}\t${printable(description)}`;
