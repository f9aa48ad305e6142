import type { Instant } from '@warren/base';
import { KEEPALIVE_TIMEOUT, REJECT_AFTER_TIME, REKEY_ATTEMPT_TIME } from './constants.js';
import { type DeviceState, hasPassed } from './device-state.js';
import type { Peer } from './peer.js';
import { initiate, sendKeepalive } from './send.js';
import { isRunning, start, stop, TIMER_NAMES, type TimerName } from './timers.js';

/** What each timer does when it runs out; it is stopped already. */
const EXPIRED: Readonly<Record<TimerName, (device: DeviceState, peer: Peer, now: Instant) => void>> = Object.freeze({
  retransmitHandshake: retransmitExpired,
  sendKeepalive: keepaliveExpired,
  newHandshake: (device, peer, now) => initiate(device, peer, now),
  zeroKeys: (device, peer) => device.eraseKeys(peer),
  persistentKeepalive: persistentKeepaliveExpired,
});

/** Runs every timer that is due. Each is stopped first and can only be started for later, so this ends. */
export function handleTimeout(device: DeviceState, now: Instant): void {
  for (let peer = device.deadlines.earliest(); peer && peer.heapDeadline <= now; peer = device.deadlines.earliest()) {
    for (const name of TIMER_NAMES) {
      if (peer.timers[name] > now) continue;
      stop(peer, name);
      EXPIRED[name](device, peer, now);
    }
  }
}

/** §6.4: again, until REKEY_ATTEMPT_TIME has passed since the first attempt; then only a new packet starts anew. */
function retransmitExpired(device: DeviceState, peer: Peer, now: Instant): void {
  if (hasPassed(peer.attemptingSince, REKEY_ATTEMPT_TIME, now)) {
    stop(peer, 'sendKeepalive');
    device.forgetPending(peer);
    device.flushStaged(peer);
    // Sessions may live on, but not longer than if this had been the last one.
    if (!isRunning(peer.timers, 'zeroKeys')) start(device, peer, 'zeroKeys', now + REJECT_AFTER_TIME * 3);
    device.emit({ type: 'handshake-gave-up', peer: peer.publicKey });
    return;
  }
  initiate(device, peer, now, true);
}

/** §6.5: the passive keepalive, and one more if data came while it was due. */
function keepaliveExpired(device: DeviceState, peer: Peer, now: Instant): void {
  sendKeepalive(device, peer, now);
  if (!peer.needAnotherKeepalive) return;
  peer.needAnotherKeepalive = false;
  start(device, peer, 'sendKeepalive', now + KEEPALIVE_TIMEOUT);
}

function persistentKeepaliveExpired(device: DeviceState, peer: Peer, now: Instant): void {
  if (peer.persistentKeepalive === 0) return;
  // Started anew before anything else, so that it goes on when nothing can be sent just now.
  start(device, peer, 'persistentKeepalive', now + peer.persistentKeepalive);
  sendKeepalive(device, peer, now);
}
