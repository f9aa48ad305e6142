import {
  type Endpoint,
  KEY_LENGTH,
  type Prefix,
  parseHostPort,
  parsePrefix,
  parsePublicKey,
  type SecretKey,
  WarrenError,
} from '@warren/base';
import type { DataPlaneKeys, DataPlanePeer } from './data-plane-api.js';
import type { WorkerKeys, WorkerPeer } from './worker-messages.js';

const RELAY_ID_LENGTH = 8;

/**
 * A peer as the worker is told of it. The preshared key goes as a copy of its bytes, whose buffer is added to `transfer`,
 * so that posting the message leaves nothing of it in this thread.
 * @param endpoint the address of the peer's endpoint, if it is known.
 */
export function encodePeer(peer: DataPlanePeer, endpoint: Endpoint | undefined, transfer: ArrayBuffer[]): WorkerPeer {
  const { publicKey, previousKey, formerKey, allowedIps, persistentKeepalive, agent } = peer;
  const presharedKey = peer.presharedKey && Uint8Array.from(peer.presharedKey.expose());
  if (presharedKey) transfer.push(presharedKey.buffer);
  return {
    publicKey,
    allowedIps,
    ...(previousKey !== undefined && { previousKey }),
    ...(formerKey !== undefined && { formerKey }),
    ...(endpoint !== undefined && { endpoint }),
    ...(presharedKey && { presharedKey }),
    ...(persistentKeepalive !== undefined && { persistentKeepalive }),
    ...(agent && { agent }),
  };
}

/** Copies of the keys, whose buffers are added to `transfer`. */
export function encodeKeys(keys: DataPlaneKeys, transfer: ArrayBuffer[]): WorkerKeys {
  const bytesOf = (key: SecretKey): Uint8Array => {
    const bytes = Uint8Array.from(key.expose());
    transfer.push(bytes.buffer);
    return bytes;
  };
  const { privateKey, other, ...rest } = keys;
  return { ...rest, privateKey: bytesOf(privateKey), ...(other && { other: bytesOf(other) }) };
}

/** @throws WarrenError `bad-peer`: types can be lied to, and the worker trusts what it is told. */
export function checkPeer(peer: DataPlanePeer): void {
  const refuse = (problem: string): never => {
    throw new WarrenError('bad-peer', `peer ${peer.publicKey}: ${problem}`);
  };
  if (!parsePublicKey(peer.publicKey)) refuse('its public key is not the base64 of 32 bytes');
  for (const key of [peer.previousKey, peer.formerKey]) {
    if (key !== undefined && !parsePublicKey(key)) refuse('a key that it had is not the base64 of 32 bytes');
  }
  const bad = peer.allowedIps.find((prefix: Prefix) => parsePrefix(prefix) !== prefix);
  if (bad !== undefined) refuse(`${JSON.stringify(bad)} is no canonical prefix; write e.g. 10.44.0.3/32`);
  if (peer.endpoint !== undefined && !parseHostPort(peer.endpoint))
    refuse(`${JSON.stringify(peer.endpoint)} is no host:port`);
  const { agent } = peer;
  if (agent && agent.relayId.length !== RELAY_ID_LENGTH) refuse(`a relay id has ${RELAY_ID_LENGTH} bytes`);
  if (agent && agent.pathKey.length !== KEY_LENGTH) refuse(`a path key has ${KEY_LENGTH} bytes`);
  const keepalive = peer.persistentKeepalive ?? 0;
  if (!Number.isInteger(keepalive) || keepalive < 0 || keepalive > 65_535) {
    refuse(`a keepalive of ${keepalive} seconds is not possible: choose 1 to 65535, or 0 for off`);
  }
}
