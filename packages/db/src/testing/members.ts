import { randomBytes, randomUUID } from 'node:crypto';
import { nodeId, type Prefix, publicKeyFromBytes } from '@warren/base';
import { openStore } from '../store/open-store.js';
import type { JoinInput, NetworkRow, OpenStoreOptions, SignTombstone, Store, TokenRow } from '../store-api.js';

/** The sealing key of every test. */
export const SEALING_KEY = new Uint8Array(32).fill(7);

/** No signature, but it names what was signed. */
export const signTombstone: SignTombstone = ({ networkId, nodeId: id, revokedAt }) => ({
  tombstone: Uint8Array.from(Buffer.from(JSON.stringify({ networkId, id, revokedAt }))),
  signature: new Uint8Array(64).fill(1),
});

/** A store as the control plane opens it. */
export const openTestStore = (url: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> =>
  openStore({ url, sealingKey: SEALING_KEY, signTombstone, ...options });

/** Trusts its caller to write prefixes. */
export const prefixes = (...texts: string[]): Prefix[] => texts as Prefix[];

let counter = 0;
/** A name that no other test of the file uses. */
export const uniqueName = (word: string): string => `${word}-${++counter}`;

/** A network with one prefix of each family unless others are given. */
export const makeNetwork = (store: Store, ...cidrs: string[]): Promise<NetworkRow> =>
  store.createNetwork(
    { name: uniqueName('net'), cidrs: prefixes(...(cidrs.length ? cidrs : ['10.44.0.0/16', 'fd00:44::/64'])) },
    'admin',
  );

/** What a fresh host sends. */
export function joinInput(token: { token: TokenRow; secret: Uint8Array }, change: Partial<JoinInput> = {}): JoinInput {
  return {
    tokenId: token.token.id,
    tokenSecret: token.secret,
    nodeId: nodeId(randomUUID()),
    name: uniqueName('node'),
    role: null,
    endpoint: null,
    listenPort: 51_820,
    publicKey: publicKeyFromBytes(randomBytes(32)),
    record: {
      record: Uint8Array.from(randomBytes(80)),
      identityKey: Uint8Array.from(randomBytes(32)),
      signature: Uint8Array.from(randomBytes(64)),
    },
    ...change,
  };
}

/** A network with a token without limits. */
export async function networkWithToken(store: Store, ...cidrs: string[]) {
  const network = await makeNetwork(store, ...cidrs);
  const token = await store.createToken({ networkId: network.id }, 'admin');
  const join = (change?: Partial<JoinInput>) => store.join(joinInput(token, change), `token:${token.token.id}`);
  return { network, token, join };
}
