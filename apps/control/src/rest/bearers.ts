import { type NodeId, WarrenError } from '@warren/base';
import type { Actor, NodeRow, SessionRow, Store } from '@warren/db';

/** Who sent a request, and what that allows. */
export interface Grant {
  readonly actor: Actor;
  readonly scopes: readonly string[];
  /** When the API key expires; absent: never. */
  readonly expiresAt?: Date;
  /** Set for a node's config key: it opens routes that say `configKey`, and there what is this node's own. */
  readonly nodeId?: NodeId;
  /** That node, as it was when the key was checked. */
  readonly node?: NodeRow;
  /** Set for somebody who has signed in. */
  readonly session?: { readonly row: SessionRow; readonly secret: string; readonly csrfToken: string };
}

/** Finds out who shows a secret. @throws WarrenError `unauthorized`, `api-key-expired` */
export type Bearers = (secret: string) => Promise<Grant>;

/** The kinds of secret that REST takes, told apart by how they begin. Each answers undefined for one that is not right. */
export function createBearers(store: Store, now: () => number): Bearers {
  const kinds: readonly (readonly [prefix: string, check: (secret: string) => Promise<Grant | undefined>])[] = [
    ['warrenkey_', (secret) => apiKey(store, now, secret)],
    ['warrenconf_', (secret) => configKey(store, secret)],
  ];
  return async (secret) => {
    const kind = kinds.find(([prefix]) => secret.startsWith(prefix));
    const grant = await kind?.[1](secret);
    if (!grant) throw new WarrenError('unauthorized', 'the control plane does not know this API key');
    return grant;
  };
}

async function apiKey(store: Store, now: () => number, secret: string): Promise<Grant | undefined> {
  const key = await store.checkApiKey(secret);
  if (!key) return undefined;
  if (key.expiresAt && key.expiresAt.getTime() <= now()) {
    const text = `this API key expired at ${key.expiresAt.toISOString()}: make another with \`warren apikey create\``;
    throw new WarrenError('api-key-expired', text);
  }
  return { actor: `apikey:${key.id}`, scopes: key.scopes, ...(key.expiresAt && { expiresAt: key.expiresAt }) };
}

/** A node's own key: whether its node still has files is said where they are asked for. */
async function configKey(store: Store, secret: string): Promise<Grant | undefined> {
  const node = await store.checkConfigKey(secret);
  return node && { actor: `config-key:${node.id}`, scopes: ['configs:read'], nodeId: node.id, node };
}
