/** The JSON of `agent status` (docs/operate.md, “JSON for scripts”): names here are a contract with scripts. */

export type AgentState = 'starting' | 'running' | 'offline' | 'pending' | 'revoked' | 'expired' | 'stopped';

export interface PathStatus {
  readonly kind: 'direct' | 'relay' | 'bounce' | 'none';
  /** `address:port`, of a direct path. */
  readonly endpoint: string | null;
  /** Name of the bounce. */
  readonly via: string | null;
  readonly transport: 'udp' | 'tls' | null;
  /** Of the last answered `agent ping`. */
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
  readonly nat: {
    readonly mapping: 'unknown';
    readonly filtering: 'unknown';
    readonly udp: boolean | null;
    readonly reflexive: readonly string[];
  };
  readonly peers: readonly PeerStatus[];
  /** Names of all networks that this agent has joined. */
  readonly networks: readonly string[];
  readonly agent: { readonly version: string; readonly pid: number | null };
}

/** Nothing is found out about NATs yet. */
export const UNKNOWN_NAT: Status['nat'] = { mapping: 'unknown', filtering: 'unknown', udp: null, reflexive: [] };
