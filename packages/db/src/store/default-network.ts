import { randomBytes } from 'node:crypto';
import { ipFromBytes, makePrefix, type Prefix, WarrenError } from '@warren/base';
import type { NetworkRow, Store } from '../store-api.js';

/** Name of the network that exists from the first start. */
export const DEFAULT_NETWORK = 'default';
const DEFAULT_CIDR = '10.44.0.0/16' as Prefix;

/**
 * Makes the network `default` when there is no network at all: at the first start, by one of the replicas.
 * @returns it, or undefined when the operator removed it and has others.
 */
export async function ensureDefaultNetwork(store: Store): Promise<NetworkRow | undefined> {
  const found = await store.findNetwork(DEFAULT_NETWORK);
  if (found) return found;
  // Another replica may have made it since the look above: then it is there now.
  if ((await store.listNetworks({ limit: 1 })).items.length > 0) return store.findNetwork(DEFAULT_NETWORK);
  try {
    return await store.createNetwork({ name: DEFAULT_NETWORK, cidrs: [DEFAULT_CIDR, randomUla()] }, 'local');
  } catch (error) {
    if (error instanceof WarrenError && error.code === 'name-taken') return store.findNetwork(DEFAULT_NETWORK);
    throw error;
  }
}

/** A /64 below fd00::/8 with a random global id of 40 bits and subnet 0 (RFC 4193 §3.2). */
export function randomUla(): Prefix {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(randomBytes(5), 1);
  return makePrefix(ipFromBytes(bytes), 64);
}
