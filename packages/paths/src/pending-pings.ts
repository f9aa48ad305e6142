import { type Endpoint, type Instant, toHex } from '@warren/base';
import type { ServerId, UdpWay } from './path-manager-api.js';
import type { RemoteCandidate } from './remote-candidates.js';

/** Pings of one peer that may still be answered. */
const MAX_PENDING_PINGS = 1_024;
/** A pong that takes longer proves nothing about now. */
const PING_LIFETIME_MS = 5_000;

export type PingTarget =
  | { readonly kind: 'direct'; readonly candidate: RemoteCandidate }
  /** A guessed port, or one of many sockets: no candidate until it answers. */
  | { readonly kind: 'guess'; readonly socket: number; readonly endpoint: Endpoint }
  | { readonly kind: 'relay'; readonly server: ServerId };

/** Whether the two are one address and socket. */
export const isWay = (target: Pick<UdpWay, 'socket' | 'endpoint'>, from: UdpWay): boolean =>
  target.socket === from.socket && target.endpoint === from.endpoint;

/** Pings that went out, by their transaction. */
export class PendingPings {
  readonly #pings = new Map<string, { readonly target: PingTarget; readonly sentAt: Instant }>();

  add(transaction: Uint8Array, target: PingTarget, now: Instant): void {
    if (this.#pings.size >= MAX_PENDING_PINGS) {
      const oldest = this.#pings.keys().next().value;
      if (oldest !== undefined) this.#pings.delete(oldest);
    }
    this.#pings.set(toHex(transaction), { target, sentAt: now });
  }

  /** What the pong answers; each ping is answered once. */
  take(transaction: Uint8Array, now: Instant): { readonly target: PingTarget; readonly rttMs: number } | undefined {
    const name = toHex(transaction);
    const ping = this.#pings.get(name);
    if (!ping) return undefined;
    this.#pings.delete(name);
    const rttMs = now - ping.sentAt;
    return rttMs <= PING_LIFETIME_MS ? { target: ping.target, rttMs } : undefined;
  }

  /** Answers to what was sent so far prove nothing: it left from another network. */
  clear(): void {
    this.#pings.clear();
  }
}
