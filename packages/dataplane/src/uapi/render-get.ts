import { publicKeyBytes, type SecretKey, toHex } from '@warren/base';
import type { DeviceSettings, PeerSettings } from '../device-settings-api.js';

const NO_PRESHARED_KEY = '0'.repeat(64);

/** Characters collected before they are handed on. */
const CHUNK = 32_768;

/**
 * The answer to `get=1`, in pieces, so that a client that reads slowly holds only one of them: each line ended, the
 * last two being `errno=0` and a blank one. Device first, then each peer from its `public_key` on.
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol.
 */
export function* renderGet(settings: DeviceSettings): Generator<string> {
  let chunk = '';
  for (const line of linesOf(settings)) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  yield `${chunk}errno=0\n\n`;
}

function* linesOf({ privateKey, listenPort, fwmark, peers }: DeviceSettings): Generator<string> {
  if (privateKey) yield `private_key=${keyHex(privateKey)}`;
  if (listenPort !== 0) yield `listen_port=${listenPort}`;
  if (fwmark !== 0) yield `fwmark=${fwmark}`;
  for (const peer of peers) yield* peerLines(peer);
}

function* peerLines(peer: PeerSettings): Generator<string> {
  const handshake = peer.lastHandshake ?? 0;
  yield `public_key=${toHex(publicKeyBytes(peer.publicKey))}`;
  yield `preshared_key=${peer.presharedKey ? keyHex(peer.presharedKey) : NO_PRESHARED_KEY}`;
  yield 'protocol_version=1';
  if (peer.endpoint !== undefined) yield `endpoint=${peer.endpoint}`;
  yield `last_handshake_time_sec=${Math.floor(handshake / 1_000)}`;
  yield `last_handshake_time_nsec=${(handshake % 1_000) * 1_000_000}`;
  yield `tx_bytes=${peer.txBytes}`;
  yield `rx_bytes=${peer.rxBytes}`;
  yield `persistent_keepalive_interval=${peer.persistentKeepalive}`;
  for (const prefix of peer.allowedIps) yield `allowed_ip=${prefix}`;
}

const keyHex = (key: SecretKey): string => toHex(key.expose());
