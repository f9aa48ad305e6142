import { type HostPort, WarrenError } from '@warren/base';
import type { NetworkRow, NodeRow, Store } from '@warren/db';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { EventFeed } from '../events/event-feed.js';
import type { Hubs } from '../hub/hubs.js';
import type { Log } from '../log.js';
import { noteInLog } from '../log-fields.js';
import type { Metrics } from '../metrics/metrics.js';
import type { RelayServer } from '../signal/relay-server.js';
import type { SignalDirectory } from '../signal/signal-directory.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { LoopDelay } from './process-health.js';
import type { RestRates } from './rate-limits.js';
import { Problem } from './schemas.js';

/** What routes are made of. */
export interface RestContext {
  readonly store: Store;
  readonly hubs: Hubs;
  readonly signals: SignalDirectory;
  readonly relay: Pick<RelayServer, 'stats'>;
  readonly log: Log;
  readonly events: EventFeed;
  readonly telemetry: Telemetry;
  readonly loopDelay: LoopDelay;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly rates: RestRates;
  /** Milliseconds between comments in silent streams; unset: 15 s. */
  readonly heartbeat?: number | undefined;
  /** Folder of the built dashboard; unset: that of `@warren/dashboard`. */
  readonly dashboard?: string | undefined;
  /** SHA-256 of the root's public key, for join tokens. */
  readonly pin: Uint8Array;
  readonly about: {
    readonly startedAt: Date;
    readonly database: 'embedded' | 'external';
    /** Known once the listeners are up. */
    httpUrl: string;
    agentAddresses: readonly HostPort[];
    stunAddress: string;
  };
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export const PUBLIC = { scope: 'public' } as const;

/** Documents that any refusal is a problem. */
export const problems = {
  default: { description: 'RFC 9457 problem', content: { 'application/problem+json': { schema: Problem } } },
};

/** @throws WarrenError `not-found` */
export async function networkOf(store: Store, idOrName: string): Promise<NetworkRow> {
  const network = await store.findNetwork(idOrName);
  if (!network)
    throw new WarrenError('not-found', `there is no network ${JSON.stringify(idOrName)}: see \`warren network list\``);
  noteInLog({ network: network.id });
  return network;
}

/** @param what `token x`; @param command the `warren` command that lists such. @throws WarrenError `not-found` */
export function found<T>(row: T | undefined, what: string, command: string): T {
  if (row === undefined)
    throw new WarrenError('not-found', `there is no ${what}: list them with \`warren ${command} list\``);
  return row;
}

/** By id; by name, too, where the query names the network. @throws WarrenError `not-found` */
export async function nodeOf(store: Store, idOrName: string, network?: string): Promise<NodeRow> {
  const within = network === undefined ? undefined : (await networkOf(store, network)).id;
  const node = await store.findNode(idOrName, within);
  if (!node || (within === undefined && node.id !== idOrName)) {
    const hint = within === undefined ? 'give its id, or its name with ?network=NAME' : 'see `warren node list`';
    throw new WarrenError('not-found', `there is no node ${JSON.stringify(idOrName)}: ${hint}`);
  }
  noteInLog({ node: node.id, network: node.networkId });
  return node;
}
