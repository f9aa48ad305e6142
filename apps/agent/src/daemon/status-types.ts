import type { CandidateKind, CandidateReport } from '@warren/paths';
import type { NatBehaviour } from '@warren/stun';

/** The JSON of `agent status` (docs/operate.md, “JSON for scripts”): names here are a contract with scripts. */

export type AgentState = 'starting' | 'running' | 'offline' | 'pending' | 'revoked' | 'expired' | 'stopped';

export interface PathStatus {
  readonly kind: 'direct' | 'relay' | 'bounce' | 'none';
  /** `address:port`, of a direct path. */
  readonly endpoint: string | null;
  /** Name of the signal server that relays, or of the bounce. */
  readonly via: string | null;
  readonly transport: 'udp' | 'tls' | null;
  /**
   * Measured on the path; of vanilla members by the last answered `agent ping`, else by the last handshake; through a bounce by
   * the last ping only.
   */
  readonly rttMs: number | null;
  /** RFC 3339: when this path began. */
  readonly since: string | null;
  /** Why it is not direct; null when it is. */
  readonly reason: string | null;
}

export interface PeerStatus {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  readonly online: boolean;
  readonly path: PathStatus;
  /** RFC 3339. */
  readonly lastHandshake: string | null;
  readonly rxBytes: number;
  readonly txBytes: number;
}

interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  /** RFC 3339; null: its key never expires. */
  readonly keyExpiresAt: string | null;
}

/** Something that works, but not as it should, and what to do about it. */
export interface Warning {
  /** `lan-clash`, `network-clash`, `key-expiring`. */
  readonly code: string;
  readonly message: string;
}

export interface Status {
  readonly state: AgentState;
  /** What more there is to say of the state, for people. */
  readonly message: string | null;
  readonly node: NodeStatus | null;
  readonly network: { readonly id: string; readonly name: string; readonly cidrs: readonly string[] } | null;
  readonly control: {
    readonly url: string;
    readonly connected: boolean;
    readonly revision: number;
    /** RFC 3339: since when connected or not. */
    readonly since: string | null;
  } | null;
  readonly dataPlane: {
    readonly backend: 'userspace';
    readonly interface: string;
    readonly listenPort: number;
    readonly mtu: number;
    /** Provider of the packet cipher; null while the data plane is not up. */
    readonly crypto: string | null;
    readonly path: string | null;
  } | null;
  readonly nat: NatStatus;
  /** Of a bounce; null on other nodes. */
  readonly signalServer: SignalServerStatus | null;
  readonly peers: readonly PeerStatus[];
  readonly warnings: readonly Warning[];
  /** Names of all networks that this agent has joined. */
  readonly networks: readonly string[];
  readonly agent: { readonly version: string; readonly pid: number | null };
}

/** What stands between the data plane's socket and the internet, in terms of RFC 4787. */
export interface NatStatus {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  /** Whether UDP gets out and back; null: not known. */
  readonly udp: boolean | null;
  /** `address:port`, as servers see the data plane's socket. */
  readonly reflexive: readonly string[];
  /** The port that the router forwards to us; null: none. */
  readonly portMapping: PortMappingStatus | null;
}

export interface SignalServerStatus {
  /** UDP; null: it does not run. */
  readonly port: number | null;
  /** Why it does not run. */
  readonly failure: string | null;
}

export interface PortMappingStatus {
  readonly protocol: 'pcp' | 'nat-pmp' | 'upnp';
  /** `address:port` on the router's outer side. */
  readonly external: string;
  /** The router's own outer address is private, so that another NAT stands behind it. */
  readonly doubleNat: boolean;
}

/** The JSON of `agent explain`. */
export interface Explanation {
  readonly node: Pick<PeerStatus, 'id' | 'name' | 'role' | 'addresses' | 'online'> & {
    readonly kind: 'agent' | 'vanilla';
  };
  readonly path: PathStatus;
  /** Why this path is chosen; a sentence without a full stop. */
  readonly why: string;
  /** What would make it direct; null when it is, or nothing would. */
  readonly advice: string | null;
  readonly candidates: readonly CandidateStatus[];
  readonly nat: { readonly local: NatPair; readonly remote: NatPair | null };
  /** Names of the signal servers where each is registered, the nearest first. */
  readonly homes: { readonly local: readonly string[]; readonly remote: readonly string[] };
  readonly servers: readonly ServerStatus[];
}

interface NatPair {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
}

export interface CandidateStatus {
  readonly kind: CandidateKind;
  /** `address:port`. */
  readonly endpoint: string;
  readonly result: CandidateReport['result'];
  readonly rttMs: number | null;
  readonly probes: number;
  /** Whether packets go there. */
  readonly used: boolean;
}

export interface ServerStatus {
  readonly id: string;
  readonly name: string;
  readonly registered: boolean;
  readonly transport: 'udp' | 'tls' | null;
  readonly home: boolean;
  readonly rttMs: number | null;
  readonly reflexive: string | null;
  /** Why it is not registered there. */
  readonly failure: string | null;
}
