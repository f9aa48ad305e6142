import { take } from '@warren/client';
import type { ClientConfig } from '../config.js';
import { given } from './command.js';
import type { NameKind } from './completion.js';
import { readContexts } from './contexts.js';
import { printable } from './display-text.js';
import { createRestClient } from './rest-client.js';
import { findTarget } from './target.js';

/** Milliseconds: whoever presses the tab key waits. */
const PATIENCE = 1_500;
/** More than anybody would choose from. */
const MOST = 500;

/** Names for the shell, `name<tab>description` each. @throws what the control plane's absence throws; nobody shows it. */
export async function completeNames(kind: NameKind, config: ClientConfig, network?: string): Promise<string[]> {
  if (kind === 'context') {
    const { contexts } = await readContexts(config.contextsFile);
    return Object.entries(contexts).map(([name, { url }]) => line(name, url));
  }
  const rest = createRestClient(await findTarget(config), {
    timeout: PATIENCE,
    signal: AbortSignal.timeout(PATIENCE),
  });
  const query = { limit: MOST };
  const within = { ...query, ...given({ network }) };
  if (kind === 'network') {
    const { items } = await take(rest.GET('/api/v1/networks', { params: { query } }));
    return items.map(({ name, cidrs }) => line(name, cidrs.join(', ')));
  }
  if (kind === 'node') {
    const { items } = await take(rest.GET('/api/v1/nodes', { params: { query: within } }));
    // A revoked node's name may be used again: the other one is meant then.
    const revokedFirst = [...items].sort((a, b) => Number(b.status === 'revoked') - Number(a.status === 'revoked'));
    const known = new Map(revokedFirst.map((node) => [node.name, node]));
    return [...known.values()].map((node) => line(node.name, `${node.role} in ${node.network}, ${node.status}`));
  }
  if (kind === 'token') {
    const { items } = await take(rest.GET('/api/v1/tokens', { params: { query: within } }));
    return items.filter(({ revokedAt }) => !revokedAt).map(({ id, role }) => line(id, role ?? 'any role'));
  }
  if (kind === 'apikey') {
    const { items } = await take(rest.GET('/api/v1/apikeys', { params: { query } }));
    return items.map(({ id, name }) => line(id, name));
  }
  if (kind === 'session') {
    const { items } = await take(rest.GET('/api/v1/sessions', { params: { query } }));
    return items.map(({ id, address, userAgent }) => line(id, [address, userAgent].filter(Boolean).join(', ')));
  }
  const { items } = await take(rest.GET('/api/v1/signal-servers'));
  return items.map(({ id, region }) => line(id, region));
}

const line = (name: string, description = ''): string => `${printable(name)}\t${printable(description)}`;
