import type { Endpoint, Instant, IpFamily } from '@warren/base';
import type { Outbox } from './outbox.js';
import type { Candidate, LocalNat, PathManagerOptions } from './path-manager-api.js';
import type { Peer } from './peer.js';
import type { ServerSet } from './server-set.js';

/** What all peers of a manager share. */
export interface PeerContext {
  readonly options: PathManagerOptions;
  readonly outbox: Outbox;
  readonly signalServers: ServerSet;
  readonly nat: LocalNat;
  /** Grows with each change of `candidates`. */
  readonly generation: number;
  /** What peers are told: ours, at most 32. */
  readonly candidates: readonly Candidate[];
  /** Where servers see us; several when the NAT gives each another port. */
  readonly reflexives: readonly Endpoint[];
  /** Whether this host has addresses of the family, or does not know. */
  hasFamily(family: IpFamily): boolean;
  /** Whether UDP gets no answer from any server, but TLS does. */
  readonly udpBlocked: boolean;
  /** Asks servers whether our sessions still stand; now and then is enough. */
  checkServers(now: Instant): void;
  /** Asks the shell for a further UDP socket, which the peer is told of when it is open. @returns undefined when there are enough. */
  openSocket(peer: Peer): number | undefined;
  closeSocket(socket: number): void;
  /** The peer's `handleTimeout` is to be called at this instant, if not earlier. */
  wakeAt(peer: Peer, at: Instant): void;
}
