import { type Endpoint, type Instant, type IpAddress, type IpFamily, ipFamily, parseEndpoint } from '@warren/base';
import type { Candidate, CandidateKind, CandidateReport, UdpPath } from './path-manager-api.js';
import type { PeerPaths } from './peer-paths.js';

/** Candidates of one peer: those that it named, and as many that were learned. */
const MAX_REMOTE_CANDIDATES = 64;
const RTT_WEIGHT = 1 / 4;

/** What a path of this kind costs beside its round trip, milliseconds: host before IPv6 and direct before reflexive. */
const KIND_COST: Record<CandidateKind, number> = {
  host: 0,
  configured: 40,
  'port-mapped': 40,
  'server-reflexive': 80,
  'peer-reflexive': 80,
  predicted: 80,
};

/** An address of a peer on one of our sockets. */
export interface RemoteCandidate {
  kind: CandidateKind;
  readonly path: UdpPath;
  readonly family: IpFamily;
  /** The peer named it in its last message, or the operator configured it. */
  named: boolean;
  rttMs: number | undefined;
  pingedAt: Instant | undefined;
  /** When the last pong came back; undefined when it must be shown anew. */
  provenAt: Instant | undefined;
  everAnswered: boolean;
  probes: number;
  /** When the peer said that it prefers this one. */
  preferredAt: Instant | undefined;
}

/** Milliseconds; the least is the best. */
export const costOf = (candidate: RemoteCandidate): number => KIND_COST[candidate.kind] + (candidate.rttMs ?? 1_000);
export const kindCostOf = (candidate: RemoteCandidate): number => KIND_COST[candidate.kind];

/** All addresses at which one peer may be reached directly. */
export class RemoteCandidates {
  readonly #byPath = new Map<UdpPath, RemoteCandidate>();
  /** Never forgotten. */
  inUse: RemoteCandidate | undefined;

  /** @param isInside see `PathManagerOptions`: such a path would carry itself, once more with each turn. */
  constructor(
    private readonly paths: PeerPaths,
    private readonly isInside: (address: IpAddress) => boolean = () => false,
  ) {}

  [Symbol.iterator](): Iterator<RemoteCandidate> {
    return this.#byPath.values();
  }

  get(path: UdpPath): RemoteCandidate | undefined {
    return this.#byPath.get(path);
  }

  /** Hosts first, then by kind, as probes are to be sent. */
  inOrder(): RemoteCandidate[] {
    return [...this.#byPath.values()].sort((a, b) => kindCostOf(a) - kindCostOf(b));
  }

  /** What the peer named, in place of what it named before; configured ones stay. What is no host's address is left out. */
  setNamed(candidates: readonly Candidate[]): void {
    for (const known of this.#byPath.values()) if (known.kind !== 'configured') known.named = false;
    for (const { kind, endpoint } of candidates) {
      const candidate = this.#add(kind, this.paths.udp(0, endpoint));
      if (!candidate || candidate.kind === 'configured') continue;
      candidate.named = true;
      // The same address as host and as reflexive: no NAT is between, the better kind is the truth.
      if (candidate.kind === 'peer-reflexive' || KIND_COST[kind] < KIND_COST[candidate.kind]) candidate.kind = kind;
    }
  }

  setConfigured(endpoints: readonly Endpoint[]): void {
    for (const [path, known] of this.#byPath) {
      if (known.kind === 'configured' && !endpoints.includes(path.endpoint)) known.kind = 'peer-reflexive';
    }
    for (const endpoint of endpoints) {
      const candidate = this.#add('configured', this.paths.udp(0, endpoint));
      if (!candidate) continue;
      candidate.kind = 'configured';
      candidate.named = true;
    }
  }

  /** An address that something authenticated came from. */
  learn(socket: number, endpoint: Endpoint): RemoteCandidate | undefined {
    return this.#add('peer-reflexive', this.paths.udp(socket, endpoint));
  }

  measured(candidate: RemoteCandidate, rttMs: number, now: Instant): void {
    candidate.rttMs = candidate.rttMs === undefined ? rttMs : candidate.rttMs + (rttMs - candidate.rttMs) * RTT_WEIGHT;
    candidate.provenAt = now;
    candidate.everAnswered = true;
  }

  /** Everything has to be shown anew; round trips are another network's. */
  doubtAll(): void {
    for (const candidate of this.#byPath.values()) {
      candidate.provenAt = candidate.rttMs = candidate.pingedAt = undefined;
    }
  }

  /** The candidates of a socket that is no more. */
  forgetSocket(socket: number): void {
    for (const path of this.#byPath.keys()) if (path.socket === socket) this.#byPath.delete(path);
  }

  reports(reachable: (family: IpFamily) => boolean): CandidateReport[] {
    return this.inOrder().map((candidate) => ({
      kind: candidate.kind,
      endpoint: candidate.path.endpoint,
      result: resultOf(candidate, reachable),
      rttMs: candidate.rttMs,
      probes: candidate.probes,
    }));
  }

  #add(kind: CandidateKind, path: UdpPath): RemoteCandidate | undefined {
    const known = this.#byPath.get(path);
    if (known) return known;
    const parsed = parseEndpoint(path.endpoint);
    if (!parsed || !isHostAddress(parsed.address) || this.isInside(parsed.address)) return undefined;
    if (this.#byPath.size >= MAX_REMOTE_CANDIDATES) this.#forgetOne();
    const added: RemoteCandidate = {
      kind,
      path,
      family: ipFamily(parsed.address),
      named: false,
      rttMs: undefined,
      pingedAt: undefined,
      provenAt: undefined,
      everAnswered: false,
      probes: 0,
      preferredAt: undefined,
    };
    this.#byPath.set(path, added);
    return added;
  }

  /** The oldest that nobody named and that is not proven; else the oldest that is not proven. */
  #forgetOne(): void {
    let victim: RemoteCandidate | undefined;
    for (const candidate of this.#byPath.values()) {
      if (candidate === this.inUse || candidate.provenAt !== undefined || candidate.kind === 'configured') continue;
      if (!candidate.named) {
        victim = candidate;
        break;
      }
      victim ??= candidate;
    }
    for (const candidate of this.#byPath.values()) if (candidate !== this.inUse) victim ??= candidate;
    if (victim) this.#byPath.delete(victim.path);
  }
}

function resultOf(candidate: RemoteCandidate, reachable: (family: IpFamily) => boolean): CandidateReport['result'] {
  if (candidate.provenAt !== undefined) return 'answers';
  if (!reachable(candidate.family)) return 'unreachable';
  return candidate.probes === 0 ? 'untried' : 'no-answer';
}

/**
 * What may be another host's: of IPv4 not loopback, link-local (where clouds keep what is nobody else's business), multicast,
 * broadcast or nobody's; of IPv6 global and unique local unicast, which leaves out all that holds an IPv4 address.
 */
function isHostAddress(address: IpAddress): boolean {
  if (ipFamily(address) === 6) return /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}):/.test(address);
  const first = Number(address.slice(0, address.indexOf('.')));
  return first !== 0 && first !== 127 && first < 224 && !address.startsWith('169.254.');
}
