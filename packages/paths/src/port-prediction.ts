import { type Endpoint, formatEndpoint, type Instant, type IpAddress, ipFamily, parseEndpoint } from '@warren/base';
import { opensManySockets } from './nat-rule.js';
import type { NatKind } from './path-manager-api.js';
import type { RemoteCandidate } from './remote-candidates.js';
import { delayed, soonest } from './times.js';

/** Sockets that the side with the dependent mapping opens: each is one port of its NAT that the other side may hit. */
const SOCKETS = 170;
/** They are opened so many at a time. */
const SOCKETS_AT_ONCE = 17;
const OPEN_EVERY_MS = 25;
/** All sockets send again after so long: what was lost, and bindings that the other NAT did not let in yet. */
const REPEAT_EVERY_MS = 2_500;
/** The other side guesses so often: 250 a second, for ten seconds. With 170 ports of 64,512, all 2,500 miss once in 700 tries. */
const GUESS_EVERY_MS = 20;
const GUESSES_AT_ONCE = 5;
const ATTEMPT_MS = 10_000;
/** Ports that servers saw at this distance or less were given out by counting. */
const COUNTING_SPAN = 64;
/** Where the NAT counts, so many ports after the last one are tried first. */
const COUNTED_GUESSES = 400;
const LOWEST_PORT = 1_024;
const PORTS = 65_536 - LOWEST_PORT;

export interface PredictionActions {
  /** One probe, whose answer proves the path that it took. */
  probe(socket: number, endpoint: Endpoint, now: Instant): void;
  /** @returns undefined when there are enough. */
  openSocket(): number | undefined;
  closeSocket(socket: number): void;
  random(length: number): Uint8Array;
}

/**
 * Finds a path where plain punching cannot: one NAT gives every destination another port, and the other lets in only what was
 * sent to. The first side opens many sockets towards the one port of the second, which guesses ports of the first until one of
 * its probes meets one of those sockets (birthday bound). Bounded in sockets, probes and time; one attempt for an exchange of candidates.
 */
export class PortPrediction {
  /** When the attempt begins; undefined: none is planned or under way. */
  #startAt: Instant | undefined;
  #nextAt: Instant | undefined;
  #target: Endpoint | undefined;
  #opens = false;
  /** Sockets that we asked for; true when they are open. */
  readonly #sockets = new Map<number, boolean>();
  #asked = 0;
  #repeatAt: Instant | undefined;
  #address: IpAddress | undefined;
  #counted: number[] = [];
  readonly #guessed = new Set<number>();

  constructor(private readonly actions: PredictionActions) {}

  /** Plans an attempt, unless one is under way. @param candidates what the peer has named. */
  plan(ours: NatKind, candidates: Iterable<RemoteCandidate>, at: Instant): void {
    if (this.#startAt !== undefined) return;
    const seen = [...candidates].filter(
      ({ kind, named, family }) => kind === 'server-reflexive' && named && family === 4,
    );
    const first = seen[0] && parseEndpoint(seen[0].path.endpoint);
    if (!first || ipFamily(first.address) !== 4) return;
    this.#reset();
    this.#opens = opensManySockets(ours);
    this.#target = seen[0]!.path.endpoint;
    this.#address = first.address;
    const ports = seen
      .map(({ path }) => parseEndpoint(path.endpoint)!)
      .filter(({ address }) => address === first.address);
    this.#counted = countedPorts(ports.map(({ port }) => port));
    this.#startAt = this.#nextAt = at;
  }

  /** Ends the attempt. Sockets are closed, but for the one that is in use. */
  stop(inUse: number): void {
    this.#reset();
    for (const socket of this.#sockets.keys()) if (socket !== inUse) this.#close(socket);
  }

  socketOpened(socket: number, now: Instant): void {
    if (!this.#sockets.has(socket)) return;
    this.#sockets.set(socket, true);
    if (this.#startAt !== undefined && this.#target) this.actions.probe(socket, this.#target, now);
  }

  /** The shell has none to give, or it broke. */
  socketFailed(socket: number): void {
    this.#sockets.delete(socket);
  }

  step(now: Instant, inUse: number): void {
    if (this.#startAt === undefined || this.#nextAt === undefined || now < this.#nextAt) return;
    if (now >= delayed(this.#startAt, ATTEMPT_MS)) this.stop(inUse);
    else if (this.#opens) this.#stepSockets(now);
    else this.#guess(now);
  }

  deadline(): Instant | undefined {
    if (this.#startAt === undefined) return undefined;
    return soonest(this.#nextAt, delayed(this.#startAt, ATTEMPT_MS));
  }

  #stepSockets(now: Instant): void {
    for (let i = 0; i < SOCKETS_AT_ONCE && this.#asked < SOCKETS; i++) {
      this.#asked++;
      const socket = this.actions.openSocket();
      if (socket === undefined) this.#asked = SOCKETS;
      else this.#sockets.set(socket, false);
    }
    this.#repeatAt ??= delayed(now, REPEAT_EVERY_MS);
    if (now >= this.#repeatAt) {
      this.#repeatAt = delayed(now, REPEAT_EVERY_MS);
      for (const [socket, open] of this.#sockets) if (open) this.actions.probe(socket, this.#target!, now);
    }
    this.#nextAt = this.#asked < SOCKETS ? delayed(now, OPEN_EVERY_MS) : this.#repeatAt;
  }

  #guess(now: Instant): void {
    for (let i = 0; i < GUESSES_AT_ONCE; i++) {
      const port = this.#counted.shift() ?? this.#randomPort();
      this.#guessed.add(port);
      this.actions.probe(0, formatEndpoint(this.#address!, port), now);
    }
    this.#nextAt = delayed(now, GUESS_EVERY_MS);
  }

  /** Not one that was guessed before, as far as that is found quickly. */
  #randomPort(): number {
    const [high, low] = this.actions.random(2);
    let port = LOWEST_PORT + (((high! << 8) | low!) % PORTS);
    for (let tries = 0; tries < 16 && this.#guessed.has(port); tries++) {
      port = LOWEST_PORT + ((port - LOWEST_PORT + 40_503) % PORTS);
    }
    return port;
  }

  #reset(): void {
    this.#startAt = this.#nextAt = this.#repeatAt = this.#target = this.#address = undefined;
    this.#asked = 0;
    this.#counted = [];
    this.#guessed.clear();
  }

  #close(socket: number): void {
    this.#sockets.delete(socket);
    this.actions.closeSocket(socket);
  }
}

/** Ports that a NAT which counts gives out next, nearest first; none when the ports seen do not look like counting. */
function countedPorts(seen: readonly number[]): number[] {
  const least = Math.min(...seen);
  const most = Math.max(...seen);
  if (new Set(seen).size < 2 || most - least > COUNTING_SPAN) return [];
  return Array.from({ length: COUNTED_GUESSES }, (_, i) => most + 1 + i).filter((port) => port < 65_536);
}
