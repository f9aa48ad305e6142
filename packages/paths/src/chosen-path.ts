import type { Instant, PublicKey } from '@warren/base';
import type { ConfiguredTrial } from './configured-trial.js';
import type { DirectTrust } from './direct-trust.js';
import type { Outbox } from './outbox.js';
import type { Path, PathPeer } from './path-manager-api.js';
import type { PeerPaths } from './peer-paths.js';
import type { PeerRelays } from './peer-relays.js';

/** Where a peer's datagrams should go: by `path`, and by `also` at the same time where the first is in doubt. */
export interface WantedPath {
  readonly path: Path | undefined;
  readonly also: Path | undefined;
  readonly why: string;
}

/** What the choice depends on. */
export interface PathSources {
  readonly config: PathPeer;
  readonly paths: PeerPaths;
  readonly relays: PeerRelays;
  readonly direct: DirectTrust | undefined;
  readonly configured: ConfiguredTrial;
}

/** A proven direct path before a configured endpoint, that before relays. `alone`: no server leads to the peer. */
export function wantedPath(
  { config, paths, relays, direct, configured }: PathSources,
  now: Instant,
): WantedPath & { readonly alone: boolean } {
  const relay = relays.choose(now);
  const alone = relay.path === undefined;
  if (direct) {
    const { path } = direct.candidate;
    return direct.lapsed
      ? { alone, path, also: relay.path, why: 'the direct path does not answer; sending on both' }
      : { alone, path, also: undefined, why: 'the direct path is proven' };
  }
  if (config.endpoints.length > 0 && (!configured.failed || !relay.path)) {
    const path = paths.udp(0, config.endpoints[0]!);
    return { alone, path, also: relay.path, why: 'a configured endpoint, not proven yet' };
  }
  return { ...relay, alone, why: relay.also ? 'relayed, over two servers until one is proven' : 'relayed' };
}

/** Where a peer's datagrams go now, as the shell was told. */
export class ChosenPath {
  #path: Path | undefined;
  #also: Path | undefined;
  #since: Instant | undefined;
  #reachable = false;

  constructor(private readonly outbox: Outbox) {}

  get path(): Path | undefined {
    return this.#path;
  }
  get also(): Path | undefined {
    return this.#also;
  }
  /** When it became this one. */
  get since(): Instant | undefined {
    return this.#since;
  }

  /** Tells the shell, if it is somewhere else than before. */
  choose(peer: PublicKey, { path, also, why }: WantedPath, now: Instant, reason = why): void {
    if (!path || (path === this.#path && also === this.#also)) return;
    if (path !== this.#path) this.#since = now;
    this.#path = path;
    this.#also = also;
    this.outbox.event({ type: 'path', peer, path, also, reason });
    if (this.#reachable) return;
    this.#reachable = true;
    this.outbox.event({ type: 'reachable', peer });
  }
}
