import { equalBytes, fromBase64 } from '@warren/base';
import type { DataPlane, SignallingChange, SignallingOptions } from '@warren/dataplane';
import { relayIdOf, type SignedTombstone } from '@warren/identity';
import { RELAY_SERVICE_NAME } from '@warren/signal';
import { certificatePem } from '../control/client.js';
import { describeError } from '../errors.js';
import type { Log } from '../log.js';
import type { Membership } from '../state/membership.js';
import type { NodeKeys } from '../state/node-keys.js';

/** Keys and names with which the data plane of one membership uses signal servers. */
export interface SignallingIdentity {
  readonly membership: Membership;
  readonly keys: NodeKeys;
  readonly predictPorts: boolean;
  /** What a signal server passed on; not verified yet. */
  readonly onTombstone: (signed: SignedTombstone) => void;
}

/** What `startDataPlane` is given so that it finds paths (signalling.md). */
export function signallingOptions(identity: SignallingIdentity): SignallingOptions {
  const { membership, keys, predictPorts, onTombstone } = identity;
  const root = certificatePem(fromBase64(membership.control.root) ?? new Uint8Array(0));
  return {
    relayId: relayIdOf(membership.networkId, membership.nodeId),
    pathKey: keys.path,
    predictPorts,
    tls: { root, serverName: RELAY_SERVICE_NAME },
    onTombstone: (tombstone, signature) => onTombstone({ tombstone, signature }),
  };
}

type Known = { -readonly [Name in keyof SignallingChange]: SignallingChange[Name] };

/**
 * What the data plane is to know for finding paths, kept here so that a data plane that is made anew hears all of it, and a
 * running one only what differs.
 */
export class Signalling {
  readonly #known: Known = {};
  #plane: DataPlane | undefined;

  constructor(private readonly log: Log) {}

  /** What was told last. */
  get known(): SignallingChange {
    return this.#known;
  }

  /** From now on this data plane is told; at once all that is known. */
  async attach(plane: DataPlane): Promise<void> {
    this.#plane = plane;
    await plane.setSignalling({ ...this.#known });
  }

  /** Tells what differs from before. A data plane that just ended is no failure: its successor hears everything. */
  async set(change: SignallingChange): Promise<void> {
    const news = differences(this.#known, change);
    if (Object.keys(news).length === 0) return;
    Object.assign(this.#known, news);
    await this.#tell(news);
  }

  /**
   * The control plane has gone, and maybe the signal server beside it: an agent that waits for its keepalives is not to be found
   * for that long.
   */
  askServers(): Promise<void> {
    return this.#tell({ askServers: true });
  }

  async #tell(change: SignallingChange): Promise<void> {
    try {
      await this.#plane?.setSignalling(change);
    } catch (error) {
      this.log('warn', `the data plane was not told what changed in signalling: ${describeError(error).message}`);
    }
  }
}

function differences(known: Known, change: SignallingChange): SignallingChange {
  const { servers, ticket, nat, mapped, tombstones } = change;
  return {
    ...(servers && fingerprint(servers) !== fingerprint(known.servers) && { servers }),
    ...(ticket && !(known.ticket && equalBytes(known.ticket, ticket)) && { ticket }),
    ...(nat && (nat.mapping !== known.nat?.mapping || nat.filtering !== known.nat.filtering) && { nat }),
    ...(mapped && mapped.join() !== (known.mapped ?? []).join() && { mapped }),
    // They are never forgotten, so that as many as before are those from before.
    ...(tombstones && tombstones.length !== (known.tombstones?.length ?? 0) && { tombstones }),
  };
}

const fingerprint = (servers: SignallingChange['servers']): string =>
  JSON.stringify((servers ?? []).map(({ id, name, udp, tls, key }) => [id, name, udp, tls, [...key]]));
