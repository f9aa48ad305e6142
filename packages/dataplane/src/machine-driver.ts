import { type Endpoint, type Instant, instant, type PublicKey } from '@warren/base';
import { bootTime } from '@warren/udp';
import type { Device, PathId } from '@warren/wireguard';
import { BootClock } from './boot-clock.js';
import type { PathFrames } from './path-frames.js';
import type { PathTable } from './path-table.js';

/** Node's timers stand still while the host is suspended: after it they are late by no more than this. */
const MAX_DELAY = 10_000;
/** WireGuard message type 1 (paper §5.4.2). */
const INITIATION = 1;
/** Initiations in a row without an answer, about 5 seconds apart, after which the endpoint is worth a doubt. */
const UNANSWERED_INITIATIONS = 3;

/** Peers without an answer among which those that are gone are not worth looking for. */
const LEAST_PRUNED = 1_024;

export interface MachineDriverParts {
  readonly device: Device;
  readonly paths: PathTable;
  /** Sends one datagram of the machine's own: a handshake message, a keepalive, what waited for a session. */
  readonly send: (path: PathId, datagram: Uint8Array) => void;
  readonly onHandshakeFailing: (peer: PublicKey) => void;
  readonly onHandshakeCompleted: (peer: PublicKey, role: 'initiator' | 'responder') => void;
  /** The endpoint is undefined for a peer that is reached by a relay. */
  readonly onPeerHeard: (peer: PublicKey, endpoint: Endpoint | undefined) => void;
  /** Who decides about the paths of agents. Absent: there are none. */
  readonly frames?: Pick<PathFrames, 'heardElsewhere' | 'pathWanted'> | undefined;
}

/** What every engine does for its machine: sends what it wants sent, hears what happened, keeps its timer. */
export class MachineDriver {
  /** Initiations since the last completed handshake. */
  readonly #unanswered = new Map<PublicKey, number>();
  #pruneAt = LEAST_PRUNED;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(private readonly parts: MachineDriverParts) {}

  /** After any call to the machine. */
  settle(): void {
    this.drain();
    this.armTimer();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  drain(): void {
    if (this.#closed) return;
    const { device, send, onHandshakeCompleted, onHandshakeFailing, frames } = this.parts;
    for (let transmit = device.pollTransmit(); transmit; transmit = device.pollTransmit()) {
      if (transmit.datagram[0] === INITIATION && transmit.peer) this.#countInitiation(transmit.peer, transmit.path);
      send(transmit.path, transmit.datagram);
    }
    for (let event = device.pollEvent(); event; event = device.pollEvent()) {
      if (event.type === 'handshake-completed') {
        this.#unanswered.delete(event.peer);
        onHandshakeCompleted(event.peer, event.role);
        this.#heard(event.peer, device.pathOf(event.peer));
      } else if (event.type === 'path-changed') {
        this.#heard(event.peer, event.path);
      } else if (event.type === 'heard-elsewhere') {
        frames?.heardElsewhere(event.peer, event.path);
      } else if (event.type === 'path-wanted') {
        frames?.pathWanted(event.peer);
      } else {
        this.#unanswered.delete(event.peer);
        onHandshakeFailing(event.peer);
      }
    }
  }

  /** A timer that fires too early only asks again, so it is moved forwards but never backwards: that is the rare case. */
  armTimer(): void {
    if (this.#closed) return;
    const deadline = this.parts.device.pollTimeout();
    if (!deadline || deadline.at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline.at;
    const delay = Math.min(Math.max(Math.ceil(deadline.at - now()), 0), MAX_DELAY);
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.parts.device.handleTimeout(now());
      this.settle();
    }, delay);
  }

  #heard(peer: PublicKey, path: PathId | undefined): void {
    const { paths, onPeerHeard } = this.parts;
    if (path === undefined) onPeerHeard(peer, undefined);
    else onPeerHeard(peer, paths.route(path) ? undefined : paths.endpoint(path));
  }

  /** Peers that were removed while they did not answer; those that are there remain, so it is seldom. */
  #prune(): void {
    const { device } = this.parts;
    for (const peer of this.#unanswered.keys()) if (device.pathOf(peer) === undefined) this.#unanswered.delete(peer);
    this.#pruneAt = Math.max(LEAST_PRUNED, this.#unanswered.size * 2);
  }

  #countInitiation(peer: PublicKey, path: PathId): void {
    const count = (this.#unanswered.get(peer) ?? 0) + 1;
    this.#unanswered.set(peer, count);
    if (this.#unanswered.size >= this.#pruneAt) this.#prune();
    // The source address may be the trouble: an interface that still has it, but is no way out any more.
    if (count > 1) this.parts.paths.setSource(path, undefined);
    if (count % UNANSWERED_INITIATIONS === 0) this.parts.onHandshakeFailing(peer);
  }
}

let clock: BootClock | undefined;

/** The machine's clock: monotonic milliseconds of this thread. */
export function now(): Instant {
  clock ??= new BootClock(() => performance.now(), bootTime);
  return instant(clock.now());
}
