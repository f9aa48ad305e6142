import type { IpAddress } from '@warren/base';
import { networkId, nodeId, publicKeyFromBytes, SecretKey, unixMillis } from '@warren/base';
import { boxPublicKey } from '@warren/crypto/boxes';
import { relayIdOf, type SignalTicket } from '@warren/identity';

// What the programs of this benchmark agree on: keys are fixed, for nothing is secret here.

export const RELAY_PORT = 3478;
export const AUTHORITY = new SecretKey(new Uint8Array(32).fill(3));
export const SERVER_KEY = new SecretKey(new Uint8Array(32).fill(9));
const PATH_KEYS = {
  sender: new SecretKey(new Uint8Array(32).fill(1)),
  receiver: new SecretKey(new Uint8Array(32).fill(2)),
};
const NETWORK = networkId('bench');

export type Role = keyof typeof PATH_KEYS;
export type Protocol = 'warren' | 'turn';

/** One round, as the command line of sender and receiver. */
export interface LoadOptions {
  readonly role: Role;
  readonly protocol: Protocol;
  readonly relay: IpAddress;
  /** Where the receiver listens. */
  readonly receiver: { readonly address: IpAddress; readonly port: number };
  /** Bytes of a datagram as it leaves the sender's WireGuard: what the relay adds comes on top. */
  readonly size: number;
  /** Datagrams that the sender gives to the kernel at once (UDP_SEGMENT). */
  readonly batch: number;
  readonly warmUpMs: number;
  readonly seconds: number;
}

export const pathKeyOf = (role: Role): SecretKey => PATH_KEYS[role];
export const relayIdOfRole = (role: Role): Uint8Array => relayIdOf(NETWORK, nodeId(role));

export const ticketOf = (role: Role): SignalTicket => ({
  networkId: NETWORK,
  nodeId: nodeId(role),
  pathKey: publicKeyFromBytes(boxPublicKey(PATH_KEYS[role].expose())),
  expiresAt: unixMillis(Date.now() + 3_600_000),
});

/** What the receiver found. */
export interface LoadResult {
  readonly datagrams: number;
  /** Without what the relay adds. */
  readonly bytes: number;
  readonly seconds: number;
}
