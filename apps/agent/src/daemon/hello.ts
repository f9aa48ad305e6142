import type { SyncRequest } from '@warren/proto';
import { samePosition, ZERO_POSITION } from '../codec/sync.js';
import { recordOf, recordToWire } from '../control/join-exchange.js';
import type { Membership } from '../state/membership.js';
import type { NodeKeys } from '../state/node-keys.js';
import { VERSION } from '../version.js';
import type { Position } from './peer-table.js';

/** What a node says of itself when a stream begins. */
export interface HelloFacts {
  readonly membership: Membership;
  readonly keys: NodeKeys;
  readonly startGeneration: number;
  /** Zero: a snapshot is asked for. */
  readonly position: Position;
  readonly digest: () => Uint8Array;
  /** Of the data plane; undefined before it is up. */
  readonly listenPort: number | undefined;
  /** Of our own signal server; 0: none. */
  readonly signalPort: number;
}

/** The first message of a stream. */
export function helloOf(facts: HelloFacts): SyncRequest {
  const { membership, keys, startGeneration, position, signalPort } = facts;
  const hello = {
    ...{ nodeId: membership.nodeId, startGeneration, position, signalPort, agentVersion: VERSION },
    digest: Buffer.from(samePosition(position, ZERO_POSITION) ? new Uint8Array(0) : facts.digest()),
    listenPort: facts.listenPort ?? membership.listenPort,
    record: recordToWire(recordOf(keys, membership.networkId)),
  };
  return { message: { $case: 'hello', value: hello } };
}
