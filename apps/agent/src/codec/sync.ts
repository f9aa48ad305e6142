import type { SignedTombstone } from '@warren/identity';
import type * as wire from '@warren/proto';
import { Snapshot, type SyncRequest } from '@warren/proto';
import type { Position, TableContent } from '../daemon/peer-table.js';

/** Before anything was received. */
export const ZERO_POSITION: Position = { epoch: 0, revision: 0 };

export const samePosition = (a: Position, b: Position): boolean => a.epoch === b.epoch && a.revision === b.revision;

/** A field that is absent on the wire is zero. */
export const positionFromWire = (position: wire.Position | undefined): Position => position ?? ZERO_POSITION;

export const acknowledge = (position: Position): SyncRequest => ({
  message: { $case: 'ack', value: { position } },
});

export const heartbeatOf = (position: Position, digest: Uint8Array): SyncRequest => ({
  message: { $case: 'heartbeat', value: { position, digest: Buffer.from(digest) } },
});

/** What is on disk between two runs: the last snapshot, brought up to date. */
export interface LastKnown extends TableContent {
  readonly position: Position;
  readonly self: wire.SelfConfig;
}

export function encodeLastKnown({ position, self, peers, tombstones }: LastKnown): Uint8Array {
  const snapshot = { position, self, peers: peers.map(toBuffer), tombstones: tombstones.map(tombstoneToWire) };
  return Snapshot.encode(snapshot).finish();
}

/** @returns undefined when the bytes are damaged: then there is no last known state. */
export function decodeLastKnown(bytes: Uint8Array): LastKnown | undefined {
  try {
    const { position, self, peers, tombstones } = Snapshot.decode(bytes);
    return self && { position: positionFromWire(position), self, peers, tombstones };
  } catch {
    return undefined; // the generated decoder throws on bytes that are no protobuf; here they are data
  }
}

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

const tombstoneToWire = ({ tombstone, signature }: SignedTombstone): wire.SignedTombstone => ({
  tombstone: toBuffer(tombstone),
  signature: toBuffer(signature),
});
