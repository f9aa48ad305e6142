import { createHmac } from 'node:crypto';
import { type Endpoint, fromBase64 } from '@warren/base';
import type { DataPlane, SignallingOptions } from '@warren/dataplane';
import { MAX_TICKET_LENGTH, type SignedTombstone } from '@warren/identity';
import { PCP_NONCE_LENGTH, type ServerReport } from '@warren/paths';
import type { SelfDescription } from '../codec/domain.js';
import { describeError } from '../errors.js';
import type { PortMapper, PortMapperOptions } from '../host/port-mapping/port-mapping.js';
import type { Log } from '../log.js';
import type { NatWatch, NatWatchOptions } from '../netcheck/nat-watch.js';
import type { JoinedNetwork } from '../state/network-state.js';
import type { NodeKeys } from '../state/node-keys.js';
import { BounceServer, type StartSignalServer } from './bounce-server.js';
import type { NatFinding } from './nat-status.js';
import { Signalling, signallingOptions } from './signalling.js';

/** `createNatWatch`, or a test's own. */
export type WatchNat = (options: Pick<NatWatchOptions, 'onResult' | 'log'>) => NatWatch;

/** A mapper that is already at work. `nonce`: of PCP, see `pcpProtocol`. */
export type StartPortMapper = (
  options: Pick<PortMapperOptions, 'port' | 'leaveOut' | 'onChange' | 'log'> & { readonly nonce: Uint8Array },
) => Promise<Pick<PortMapper, 'mapping' | 'refresh' | 'stop'>>;

export interface PathSupportOptions {
  readonly network: JoinedNetwork;
  readonly keys: NodeKeys;
  readonly predictPorts: boolean;
  /** Absent: routers are left alone. */
  readonly startPortMapper?: StartPortMapper;
  /** Absent: a bounce runs no signal server. */
  readonly startSignalServer?: StartSignalServer;
  /** Absent: nobody looks at the NAT. */
  readonly watchNat?: WatchNat;
  readonly onTombstone: (signed: SignedTombstone) => void;
  readonly log: Log;
}

/**
 * Everything of one network that helps its data plane to find paths: servers, ticket and tombstones, the NAT before this host,
 * the port that a router maps, and on a bounce the signal server for the others.
 */
export class PathSupport {
  readonly signalling: Signalling;
  /** What discovery found out last. */
  nat: NatFinding | undefined;
  readonly #bounce: BounceServer | undefined;
  readonly #natWatch: NatWatch | undefined;
  #mapper: Awaited<ReturnType<StartPortMapper>> | undefined;
  #mappedPort: number | undefined;
  #seenAt = '';

  constructor(private readonly options: PathSupportOptions) {
    const { network, keys, startSignalServer, watchNat, onTombstone, log } = options;
    this.signalling = new Signalling(log);
    const authority = fromBase64(network.membership.authorityKey) ?? new Uint8Array(0);
    this.#bounce = startSignalServer
      ? new BounceServer({
          start: startSignalServer,
          state: network.state,
          key: keys.path,
          authority,
          onTombstone,
          log,
        })
      : undefined;
    this.#natWatch = watchNat?.({ onResult: (finding) => this.noteNat(finding), log });
  }

  /** UDP port of our own signal server; 0: none. */
  get signalPort(): number {
    return this.#bounce?.port ?? 0;
  }

  get signalServer() {
    return this.#bounce?.status ?? null;
  }

  get portMapping() {
    return this.#mapper?.mapping ?? null;
  }

  /** For `startDataPlane`. */
  dataPlaneOptions(): SignallingOptions {
    const { network, keys, predictPorts, onTombstone } = this.options;
    return signallingOptions({ membership: network.membership, keys, predictPorts, onTombstone });
  }

  /** Takes up the ticket of before. */
  async restore(): Promise<void> {
    const ticket = await this.options.network.state.ticket();
    if (ticket) await this.signalling.set({ ticket });
  }

  /** What the control plane says of servers, tombstones and our role. */
  async follow(self: SelfDescription, tombstones: readonly SignedTombstone[]): Promise<void> {
    // Our own server sees us from inside.
    const own: string = this.options.network.membership.nodeId;
    this.#natWatch?.setServers(self.signalServers.filter(({ id }) => id !== own));
    this.#bounce?.follow(self.role === 'bounce', tombstones);
    await this.signalling.set({ servers: self.signalServers, tombstones });
  }

  /** Settles when it is known whether our own signal server runs: then its port can be told. */
  async signalServerSettled(): Promise<void> {
    await this.#bounce?.settled();
  }

  /** The data plane first, and a ticket that cannot be saved is used all the same. */
  async noteTicket(ticket: Uint8Array): Promise<void> {
    if (ticket.length === 0 || ticket.length > MAX_TICKET_LENGTH) return;
    const copy = Uint8Array.from(ticket);
    await this.signalling.set({ ticket: copy });
    await this.options.network.state.saveTicket(copy).catch((error: unknown) => this.#warn(error));
  }

  /** Peers hear of it, and the status shows it. */
  async noteNat(finding: NatFinding): Promise<void> {
    this.nat = finding;
    const { mapping, filtering, bindingLifetimeS: seconds } = finding;
    const lifetime = seconds === undefined ? {} : { bindingLifetimeMs: seconds * 1_000 };
    await this.signalling.set({ nat: { mapping, filtering, ...lifetime } });
  }

  /** A data plane is up: its port is mapped from now on. */
  async mapPort({ listenPort, interfaceName }: DataPlane): Promise<void> {
    const { startPortMapper, keys, log } = this.options;
    if (!startPortMapper || this.#mappedPort === listenPort) return;
    await this.#unmap();
    this.#mappedPort = listenPort;
    const nonce = createHmac('sha256', keys.identity.expose()).update(`warren pcp nonce ${listenPort}`).digest();
    this.#mapper = await startPortMapper({
      port: listenPort,
      nonce: Uint8Array.from(nonce.subarray(0, PCP_NONCE_LENGTH)),
      leaveOut: new Set([interfaceName]),
      // Nobody reaches an address that is private itself: it stays a hint in the status.
      onChange: (mapping) => void this.#noteMapped(mapping && !mapping.doubleNat ? [mapping.external] : []),
      log,
    });
  }

  /** Servers see us elsewhere than before: the router may have started anew, and have forgotten what it mapped. */
  noteServers(servers: readonly Pick<ServerReport, 'reflexive'>[]): void {
    const seenAt = servers
      .flatMap(({ reflexive }) => reflexive ?? [])
      .sort()
      .join();
    if (seenAt === '' || seenAt === this.#seenAt) return;
    if (this.#seenAt !== '') {
      this.#mapper?.refresh();
      this.#natWatch?.networkChanged();
    }
    this.#seenAt = seenAt;
  }

  /** Gives back what the router maps, no longer looks at the NAT, and ends our signal server. Idempotent. */
  async close(): Promise<void> {
    this.#natWatch?.close();
    await Promise.all([this.#unmap(), this.#bounce?.close()]);
  }

  async #unmap(): Promise<void> {
    const mapper = this.#mapper;
    this.#mapper = undefined;
    this.#mappedPort = undefined;
    await mapper?.stop();
  }

  async #noteMapped(mapped: readonly Endpoint[]): Promise<void> {
    await this.signalling.set({ mapped });
  }

  #warn(error: unknown): void {
    this.options.log('warn', describeError(error).message);
  }
}
