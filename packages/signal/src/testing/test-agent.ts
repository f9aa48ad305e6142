import { randomBytes } from 'node:crypto';
import {
  type NetworkId,
  type NodeId,
  networkId,
  nodeId,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { ed25519PublicKey } from '@warren/crypto';
import { boxPublicKey, precomputeBoxKey } from '@warren/crypto/boxes';
import { relayIdOf, type SignedTombstone, signTicket, signTombstone } from '@warren/identity';
import { encodeFrame, type RelayFrame } from '@warren/paths';

export const AUTHORITY = new SecretKey(new Uint8Array(32).fill(3));
export const AUTHORITY_KEY = ed25519PublicKey(AUTHORITY.expose());
export const SERVER_KEY = new SecretKey(new Uint8Array(32).fill(9));
export const NETWORK = networkId('0b0e5d6c-net1');
const DAY = 86_400_000;

export interface TestAgentOptions {
  readonly network?: NetworkId;
  readonly authority?: SecretKey;
  /** Unix milliseconds. */
  readonly expiresAt?: number;
}

/** What an agent has: keys, a ticket, a relay id. Call after `boxesReady`. */
export class TestAgent {
  readonly node: NodeId;
  readonly network: NetworkId;
  readonly relayId: Uint8Array;
  readonly pathKey = new SecretKey(random(32));
  readonly ticket: Uint8Array;
  readonly boxKey: Uint8Array;

  constructor(name: string, options: TestAgentOptions = {}) {
    this.node = nodeId(name);
    this.network = options.network ?? NETWORK;
    this.relayId = relayIdOf(this.network, this.node);
    this.ticket = signTicket(options.authority ?? AUTHORITY, {
      networkId: this.network,
      nodeId: this.node,
      pathKey: publicKeyFromBytes(boxPublicKey(this.pathKey.expose())),
      expiresAt: unixMillis(options.expiresAt ?? Date.now() + DAY),
    });
    this.boxKey = precomputeBoxKey(boxPublicKey(SERVER_KEY.expose()), this.pathKey.expose())!;
  }

  tombstone(authority = AUTHORITY): SignedTombstone {
    return signTombstone(authority, {
      networkId: this.network,
      nodeId: this.node,
      wireguardKey: publicKeyFromBytes(new Uint8Array(32).fill(5)),
      identityKey: null,
      revokedAt: unixMillis(Date.now()),
    });
  }
}

export const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

export const sendFrame = (session: Uint8Array, to: TestAgent, datagram: Uint8Array): Uint8Array<ArrayBuffer> =>
  encodeFrame({ type: 'send', session, relayId: to.relayId, datagram });

export type FrameOf<T extends RelayFrame['type']> = RelayFrame & { readonly type: T };
