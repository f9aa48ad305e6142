import { concatBytes, type Endpoint, type Instant } from '@warren/base';
import type { PathPeer, RelayPath, ServerId, Way } from './path-manager-api.js';
import type { PeerContext } from './peer-context.js';
import type { PeerPaths } from './peer-paths.js';
import { PendingPings, type PingTarget } from './pending-pings.js';
import type { RemoteCandidate } from './remote-candidates.js';
import { SealedChannel } from './sealed-channel.js';
import type { SealedMessage } from './sealed-message.js';

const TRANSACTION_LENGTH = 8;

/** Sends sealed messages to one peer, straight or by a relay, and knows which pings wait for an answer. */
export class PeerMessenger {
  readonly #channel: SealedChannel;
  readonly #pings = new PendingPings();

  constructor(
    peer: PathPeer,
    private readonly context: PeerContext,
    private readonly paths: PeerPaths,
  ) {
    this.#channel = new SealedChannel(peer, context.options);
  }

  open = (datagram: Uint8Array, by: 'direct' | 'relayed', now: Instant): SealedMessage | undefined =>
    this.#channel.open(datagram, by, now);

  send(message: SealedMessage, way: Way): void {
    const datagram = this.#channel.seal(message);
    if (datagram) this.context.outbox.transmit(way, datagram);
  }

  sendRelayed(message: SealedMessage, path: RelayPath, now: Instant): void {
    const link = this.context.signalServers.link(path.server);
    const way = link?.way;
    const datagram = way && this.#channel.seal(message);
    if (!link || !way || !datagram) return;
    link.noteSent(now);
    this.context.outbox.transmit(way, concatBytes(path.header, datagram));
  }

  pingCandidate(candidate: RemoteCandidate, preferred: boolean, now: Instant): void {
    this.send(this.#newPing({ kind: 'direct', candidate }, preferred, now), wayOf(candidate));
  }

  pingGuess(socket: number, endpoint: Endpoint, now: Instant): void {
    this.send(this.#newPing({ kind: 'guess', socket, endpoint }, false, now), { kind: 'udp', socket, endpoint });
  }

  pingRelay(server: ServerId, now: Instant): void {
    const link = this.context.signalServers.link(server);
    const path = link && this.paths.relay(link);
    if (path) this.sendRelayed(this.#newPing({ kind: 'relay', server }, false, now), path, now);
  }

  takePong = (transaction: Uint8Array, now: Instant): { target: PingTarget; rttMs: number } | undefined =>
    this.#pings.take(transaction, now);

  forgetPings(): void {
    this.#pings.clear();
  }

  erase(): void {
    this.#channel.erase();
  }

  #newPing(target: PingTarget, preferred: boolean, now: Instant): SealedMessage {
    const transaction = this.context.options.random(TRANSACTION_LENGTH);
    this.#pings.add(transaction, target, now);
    return { type: 'ping', transaction, preferred };
  }
}

/** Where datagrams to a candidate go. */
export const wayOf = ({ path }: RemoteCandidate): Way => ({
  kind: 'udp',
  socket: path.socket,
  endpoint: path.endpoint,
});
