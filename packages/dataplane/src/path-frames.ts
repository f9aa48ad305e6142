import type { Instant, PublicKey } from '@warren/base';
import type { Way } from '@warren/paths';
import type { PathId } from '@warren/wireguard';
import type { Carriers } from './route-sender.js';

/** First byte of the protocols between agents and signal servers, and between agents (docs/protocol/signalling.md). */
export const FIRST_FRAME_TYPE = 0xa0;
export const LAST_FRAME_TYPE = 0xbf;

/** What an engine hands to whoever finds paths between agents, and what it sends by. */
export interface PathFrames extends Carriers {
  /**
   * Takes what lies at `offset` of the packet memory and begins with 0xA0 to 0xBF.
   * @returns the relay path by which a WireGuard datagram came that begins `RELAY_HEADER_LENGTH` behind `offset`; undefined: all was taken.
   */
  take(offset: number, length: number, from: PathId): PathId | undefined;
  /** The same for what came by a stream. */
  takeFrom(offset: number, length: number, from: Way): PathId | undefined;
  /** WireGuard authenticated something of the peer that came on this path. Cheap. */
  received(path: PathId, peer: PublicKey, now: Instant): void;
  heardElsewhere(peer: PublicKey, path: PathId): void;
  pathWanted(peer: PublicKey): void;
  /** After a batch of calls: lets out what the manager wants, arms its timer. */
  settle(): void;
}
