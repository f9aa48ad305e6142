import type { Instant } from '@warren/base';
import { KEEPALIVE_TIMEOUT, REJECT_AFTER_TIME, REKEY_TIMEOUT, REKEY_TIMEOUT_JITTER } from './constants.js';
import type { DeviceState } from './device-state.js';
import type { Peer } from './peer.js';

/** A peer's timers; the value is what `pollTimeout` says. WireGuard paper §6. */
export const TIMERS = Object.freeze({
  /** §6.4: an initiation was not answered. */
  retransmitHandshake: 'REKEY_TIMEOUT',
  /** §6.5: data came in, nothing went out. */
  sendKeepalive: 'KEEPALIVE_TIMEOUT',
  /** §6.5: data went out, nothing came in. */
  newHandshake: 'KEEPALIVE_TIMEOUT + REKEY_TIMEOUT',
  /** §6.3: no new session for so long that the old keys are of no use. */
  zeroKeys: 'REJECT_AFTER_TIME * 3',
  /** Configured by `persistentKeepalive`. */
  persistentKeepalive: 'PersistentKeepalive',
} as const);

export type TimerName = keyof typeof TIMERS;
export const TIMER_NAMES = Object.freeze(Object.keys(TIMERS) as TimerName[]);

const OFF = Number.POSITIVE_INFINITY;

/** Deadlines of one peer; infinity: not running. */
export type Timers = Record<TimerName, number>;

export const makeTimers = (): Timers => ({
  retransmitHandshake: OFF,
  sendKeepalive: OFF,
  newHandshake: OFF,
  zeroKeys: OFF,
  persistentKeepalive: OFF,
});

export const isRunning = (timers: Timers, name: TimerName): boolean => timers[name] !== OFF;

/** The earliest deadline; infinity when no timer runs. Called for every packet. */
export const earliestDeadline = (timers: Timers): number =>
  Math.min(
    timers.retransmitHandshake,
    timers.sendKeepalive,
    timers.newHandshake,
    timers.zeroKeys,
    timers.persistentKeepalive,
  );

export function start(device: DeviceState, peer: Peer, name: TimerName, at: number): void {
  peer.timers[name] = at;
  device.deadlines.update(peer);
}

export function stop(peer: Peer, name: TimerName): void {
  peer.timers[name] = OFF;
}

export function stopAll(peer: Peer): void {
  for (const name of TIMER_NAMES) stop(peer, name);
}

/*
 * What happened, and which timers that starts and stops. The four that come with every packet name the timer's property
 * itself: by a variable it costs ten times as much.
 */

/** A transport message with content was sealed for the peer. */
export function dataSent(device: DeviceState, peer: Peer, now: Instant): void {
  if (peer.timers.newHandshake !== OFF) return;
  start(device, peer, 'newHandshake', now + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + jitter(device));
}

/** A transport message with content was opened. */
export function dataReceived(device: DeviceState, peer: Peer, now: Instant): void {
  if (peer.timers.sendKeepalive !== OFF) peer.needAnotherKeepalive = true;
  else start(device, peer, 'sendKeepalive', now + KEEPALIVE_TIMEOUT);
}

/** Anything but a cookie reply was sent. */
export function authenticatedPacketSent(device: DeviceState, peer: Peer, now: Instant): void {
  peer.timers.sendKeepalive = OFF;
  authenticatedPacketTraversed(device, peer, now);
}

/** Anything was received and authenticated. */
export function authenticatedPacketReceived(device: DeviceState, peer: Peer, now: Instant): void {
  peer.timers.newHandshake = OFF;
  authenticatedPacketTraversed(device, peer, now);
}

/** An initiation was sent: repeat it, with jitter, if no response comes. */
export function handshakeInitiated(device: DeviceState, peer: Peer, now: Instant): void {
  start(device, peer, 'retransmitHandshake', now + REKEY_TIMEOUT + jitter(device));
}

/** A response was consumed, or as responder the first packet under the new session opened. */
export function handshakeCompleted(device: DeviceState, peer: Peer, role: 'initiator' | 'responder'): void {
  stop(peer, 'retransmitHandshake');
  peer.sentLastMinuteHandshake = false;
  peer.lastHandshake = device.options.wallClock();
  device.emit({ type: 'handshake-completed', peer: peer.publicKey, role, at: peer.lastHandshake });
}

/** New keys exist. */
export function sessionDerived(device: DeviceState, peer: Peer, now: Instant): void {
  start(device, peer, 'zeroKeys', now + REJECT_AFTER_TIME * 3);
}

function authenticatedPacketTraversed(device: DeviceState, peer: Peer, now: Instant): void {
  if (peer.persistentKeepalive > 0) start(device, peer, 'persistentKeepalive', now + peer.persistentKeepalive);
}

/** 0 to 333 ms. */
export function jitter(device: DeviceState): number {
  const bytes = device.options.random(2);
  return ((bytes[0]! << 8) | bytes[1]!) % REKEY_TIMEOUT_JITTER;
}
