import type { Instant, PublicKey } from '@warren/base';
import type { PeerConfig } from './device-api.js';
import type { DeviceState } from './device-state.js';
import { Peer } from './peer.js';
import { initiate, sendKeepalive } from './send.js';
import { start, stop } from './timers.js';

const NO_PRESHARED_KEY = new Uint8Array(32);

export function addPeer(device: DeviceState, publicKey: PublicKey): Peer {
  const peer = new Peer(publicKey, device.options.crypto, device.local, device.releaseKeypair);
  device.peers.set(publicKey, peer);
  return peer;
}

/** Changes what differs; sessions live on, a changed preshared key counts from the next handshake. */
export function configurePeer(device: DeviceState, peer: Peer, config: PeerConfig, now: Instant): void {
  peer.presharedKey.set(config.presharedKey?.expose() ?? NO_PRESHARED_KEY);
  setAllowedIps(device, peer, config);
  const hadPath = peer.path !== undefined;
  peer.roams = config.roams ?? true;
  if (config.path !== undefined) peer.path = config.path;
  const gotPath = !hadPath && peer.path !== undefined;
  setPersistentKeepalive(device, peer, config.persistentKeepalive ?? 0, gotPath, now);
  if (gotPath && peer.staged.size > 0) initiate(device, peer, now);
}

function setAllowedIps(device: DeviceState, peer: Peer, config: PeerConfig): void {
  const wanted = new Set(config.allowedIps);
  for (const prefix of device.allowedIps.prefixesOf(peer)) {
    if (!wanted.has(prefix)) device.allowedIps.remove(prefix, peer);
  }
  for (const prefix of wanted) device.allowedIps.insert(prefix, peer);
}

function setPersistentKeepalive(
  device: DeviceState,
  peer: Peer,
  seconds: number,
  gotPath: boolean,
  now: Instant,
): void {
  const before = peer.persistentKeepalive;
  peer.persistentKeepalive = seconds * 1000;
  if (seconds === 0) stop(peer, 'persistentKeepalive');
  else if (before === 0 || gotPath) startPersistentKeepalive(device, peer, now);
  else if (before !== peer.persistentKeepalive) {
    start(device, peer, 'persistentKeepalive', now + peer.persistentKeepalive);
  }
}

/** If it is on: one keepalive goes out at once, and with it a handshake if need be, then one each interval. */
export function startPersistentKeepalive(device: DeviceState, peer: Peer, now: Instant): void {
  if (peer.persistentKeepalive === 0) return;
  start(device, peer, 'persistentKeepalive', now + peer.persistentKeepalive);
  sendKeepalive(device, peer, now);
}
