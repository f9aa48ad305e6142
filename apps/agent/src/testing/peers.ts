import { randomUUID } from 'node:crypto';
import { networkId, nodeId, type PublicKey, publicKeyBytes, type SecretKey, unixMillis } from '@warren/base';
import { signRecord, signTombstone } from '@warren/identity';
import * as wire from '@warren/proto';
import { generateNodeKeys, identityPublicKey, type NodeKeys, x25519PublicKey } from '../state/node-keys.js';

/** Another node of a test network. */
export interface TestPeer {
  readonly keys: NodeKeys;
  readonly publicKey: PublicKey;
  readonly entry: wire.PeerEntry;
  readonly bytes: Buffer;
}

/** A node with rightly signed keys; `change` damages or adorns its entry before it is encoded. */
export function makePeer(network: string, name: string, change: Partial<wire.PeerEntry> = {}): TestPeer {
  const keys = generateNodeKeys();
  const publicKey = x25519PublicKey(keys.wireguard);
  const signed = signRecord(keys.identity, {
    networkId: networkId(network),
    nodeId: keys.nodeId,
    wireguardKey: publicKey,
    pathKey: x25519PublicKey(keys.path),
    generation: 1,
  });
  const entry: wire.PeerEntry = {
    nodeId: keys.nodeId,
    name,
    role: wire.Role.ROLE_DIRECT,
    vanilla: false,
    wireguardKey: Buffer.from(publicKeyBytes(publicKey)),
    addresses: ['198.18.0.9'],
    allowedIps: ['198.18.0.9/32'],
    endpoint: '192.0.2.9:51820',
    persistentKeepalive: 25,
    presharedKey: Buffer.alloc(0),
    record: {
      record: Buffer.from(signed.record),
      identityKey: Buffer.from(signed.identityKey),
      signature: Buffer.from(signed.signature),
    },
    via: '',
    previousWireguardKey: Buffer.alloc(0),
    previousRecord: undefined,
    ...change,
  };
  return { keys, publicKey, entry, bytes: Buffer.from(wire.PeerEntry.encode(entry).finish()) };
}

/** Signs tombstones of one network. */
export class TestNetworkAuthority {
  readonly #seed = generateNodeKeys().identity;
  readonly key = identityPublicKey(this.#seed);

  revoke(network: string, peer: TestPeer, by: SecretKey = this.#seed): wire.SignedTombstone {
    const { tombstone, signature } = signTombstone(by, {
      networkId: networkId(network),
      nodeId: nodeId(peer.keys.nodeId),
      wireguardKey: peer.publicKey,
      identityKey: identityPublicKey(peer.keys.identity),
      revokedAt: unixMillis(1_700_000_000_000),
    });
    return { tombstone: Buffer.from(tombstone), signature: Buffer.from(signature) };
  }
}

/** A network id for tests. */
export const testNetworkId = (): string => randomUUID();
