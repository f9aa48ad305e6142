import type { SignalLoad, SignalServerInput, SignalServerRow, Store } from '@warren/db';
import type { SignalServer } from '@warren/proto';
import type { Log } from '../log.js';
import { sameServers, signalServerToWire } from './server-list.js';

/** How often the list is read, and our own server announced to other replicas; milliseconds. */
const INTERVAL = 5_000;
/** A replica that did not announce its server for this long is gone. Shorter would drop it at a pause of the database. */
const STALE = 10 * 60_000;

/** The server that this process runs. */
export interface OwnServer extends SignalServerInput {
  readonly id: string;
  readonly region: string;
}

/**
 * The signal servers that all networks share: those of the replicas and those that were enrolled. Read from the database
 * now and then, because other replicas add to it. No revision counts it: whoever connects is told the list as it is.
 */
export class SignalDirectory {
  #servers: readonly SignalServer[] = [];
  #own: OwnServer | undefined;
  #load: (() => Promise<SignalLoad>) | undefined;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #failed = false;

  private constructor(
    private readonly store: Pick<Store, 'announceSignalServer' | 'listSignalServers'>,
    private readonly log: Log,
  ) {}

  static async open(
    store: Pick<Store, 'announceSignalServer' | 'listSignalServers'>,
    log: Log,
    interval = INTERVAL,
  ): Promise<SignalDirectory> {
    const directory = new SignalDirectory(store, log);
    await directory.refresh();
    directory.#timer = setInterval(() => directory.#look(), interval).unref();
    return directory;
  }

  get servers(): readonly SignalServer[] {
    return this.#servers;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** From now on everybody is told of this process's server, and of what it has to do. */
  async announce(own: OwnServer, load?: () => Promise<SignalLoad>): Promise<void> {
    this.#own = own;
    this.#load = load;
    await this.refresh();
  }

  /** Reads the list now, because this process changed it. */
  async refresh(): Promise<void> {
    if (this.#own) {
      const load = await this.#load?.();
      await this.store.announceSignalServer(this.#own.id, this.#own.region, { ...this.#own, ...(load && { load }) });
    }
    const servers = (await this.rows()).filter(isReachable).map(signalServerToWire);
    if (sameServers(servers, this.#servers)) return;
    this.#servers = servers;
    for (const listener of this.#listeners) listener();
  }

  /** As they are kept, those too that have not said yet where they are. */
  rows(): Promise<readonly SignalServerRow[]> {
    return this.store.listSignalServers(STALE);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #look(): void {
    this.refresh().then(
      () => {
        this.#failed = false;
      },
      (error: unknown) => {
        // Said once for each outage: what was read last stays good meanwhile.
        if (!this.#failed) this.log.warn({ err: error }, 'cannot read the list of signal servers');
        this.#failed = true;
      },
    );
  }
}

const isReachable = ({ udp, tls }: SignalServerRow): boolean => udp !== null || tls.length > 0;
