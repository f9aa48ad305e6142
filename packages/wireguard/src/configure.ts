import { type Instant, type PublicKey, publicKeyFromBytes } from '@warren/base';
import type { PeerConfig } from './device-api.js';
import type { DeviceState } from './device-state.js';
import { Peer } from './peer.js';
import { initiate, initiateAnew, sendKeepalive } from './send.js';
import { RemoteStatic } from './static-keys.js';
import { start, stop, stopAll } from './timers.js';

const NO_PRESHARED_KEY = new Uint8Array(32);

/** The peer of that key, known by it or by its former one, or a new one. */
export function peerFor(device: DeviceState, { publicKey, formerKey }: PeerConfig): Peer {
  const known = device.peers.get(publicKey);
  if (known) return known;
  const former = formerKey === undefined ? undefined : device.peers.get(formerKey);
  const peer = former ?? new Peer(publicKey, device.options.crypto, device.releaseKeypair);
  if (former) device.peers.delete(former.publicKey);
  peer.publicKey = publicKey;
  device.peers.set(publicKey, peer);
  return peer;
}

/**
 * Changes what differs; sessions live on, a changed preshared key counts from the next handshake. But a key that is replaced
 * and not accepted any more takes the sessions along: whoever holds it may have made them.
 */
export function configurePeer(device: DeviceState, peer: Peer, config: PeerConfig, now: Instant): void {
  const disowned = setRemotes(device, peer, config);
  const renew = disowned && forgetSessions(device, peer, now);
  peer.presharedKey.set(config.presharedKey?.expose() ?? NO_PRESHARED_KEY);
  setAllowedIps(device, peer, config);
  const hadPath = peer.path !== undefined;
  peer.roams = config.roams ?? true;
  if (config.path !== undefined) peer.path = config.path;
  const gotPath = !hadPath && peer.path !== undefined;
  setPersistentKeepalive(device, peer, config.persistentKeepalive ?? 0, gotPath, now);
  if ((gotPath && peer.staged.size > 0) || renew) initiate(device, peer, now);
  else if (peer.hasStalePending()) initiateAnew(device, peer, now);
}

/** @returns whether the key that the peer was known by is none of its keys any more. */
function setRemotes(device: DeviceState, peer: Peer, { publicKey, previousKey }: PeerConfig): boolean {
  const former = peer.remotes;
  // A key in use is its owner's, and ours are ours.
  const also =
    previousKey !== undefined && !device.peers.has(previousKey) && !isOwnKey(device, previousKey)
      ? previousKey
      : undefined;
  if (former[0]?.publicKey === publicKey && former[1]?.publicKey === also) return false;
  const keys = also === undefined ? [publicKey] : [publicKey, also];
  peer.remotes = keys.map((key) => remoteOf(device, peer, key));
  for (const remote of former) {
    if (!peer.remotes.includes(remote)) dropRemote(device, remote);
  }
  peer.pair(device);
  return former[0] !== undefined && !peer.remotes.includes(former[0]);
}

function remoteOf(device: DeviceState, peer: Peer, key: PublicKey): RemoteStatic<Peer> {
  const known = device.remotes.get(key);
  if (known?.peer === peer) return known;
  if (known) {
    // The previous key of a peer that is now another's.
    const { peer: other } = known;
    other.remotes = other.remotes.filter((remote) => remote !== known);
    other.pair(device);
    known.cookies.erase();
  }
  const remote = new RemoteStatic(peer, key, device.options.crypto);
  device.remotes.set(key, remote);
  return remote;
}

/** Initiations from this key are those of a stranger from now on. */
export function dropRemote(device: DeviceState, remote: RemoteStatic<Peer>): void {
  device.remotes.delete(remote.publicKey);
  remote.cookies.erase();
}

/** Whether a key is one of the device's own: it would shake hands with itself. */
export const isOwnKey = (device: DeviceState, key: PublicKey): boolean =>
  device.locals.some((local) => publicKeyFromBytes(local.publicKey) === key);

/** What is staged goes on waiting. @returns whether there is anything that wants a session. */
function forgetSessions(device: DeviceState, peer: Peer, now: Instant): boolean {
  const { current, next } = peer.keypairs;
  const wanted = current !== undefined || next !== undefined || peer.pending !== undefined || peer.staged.size > 0;
  device.eraseKeys(peer);
  stopAll(peer);
  peer.lastSentHandshake = Number.NEGATIVE_INFINITY;
  if (peer.persistentKeepalive > 0) {
    start(device, peer, 'persistentKeepalive', now + peer.persistentKeepalive);
  }
  return wanted;
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
