import { createHash } from 'node:crypto';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import {
  type AgentServiceClient,
  type Delta,
  type Explain,
  type Farewell,
  type HeartbeatReply,
  PeerEntry,
  type Position,
  type SelfConfig,
  type SignedTombstone,
  type Snapshot,
  type SyncRequest,
  type SyncResponse,
} from '@warren/proto';
import { until } from './control-plane.fixture.js';
import { codeOf } from './fake-agent.fixture.js';

export interface HelloOptions {
  readonly startGeneration?: number;
  /** Another node than the certificate's. */
  readonly nodeId?: string;
  readonly position?: Position;
  readonly digest?: Uint8Array;
  /** What it holds at that position. */
  readonly held?: ReadonlyMap<string, Buffer>;
  readonly acknowledge?: boolean;
  /** Of the signal server that a bounce runs. */
  readonly signalPort?: number;
  /** What it answers to whoever asks it to explain a path. */
  readonly explanation?: object;
}

/** The digest as the protocol's page defines it, computed from nothing but bytes. */
function digestOf(entries: Iterable<Uint8Array>): Buffer {
  let sum = 0n;
  for (const bytes of entries) sum += BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);
  return Buffer.from((sum & ((1n << 256n) - 1n)).toString(16).padStart(64, '0'), 'hex');
}

/** One Sync stream from the agent's side. Applies what comes, acknowledges, remembers everything. */
export class FakeStream {
  readonly entries: Map<string, Buffer>;
  readonly snapshots: Snapshot[] = [];
  readonly deltas: Delta[] = [];
  readonly replies: HeartbeatReply[] = [];
  readonly tombstones: SignedTombstone[] = [];
  readonly tickets: Buffer[] = [];
  /** Milliseconds, as it was asked to report. */
  readonly policies: number[] = [];
  /** What it was asked to explain. */
  readonly questions: Explain[] = [];
  position: Position;
  self: SelfConfig | undefined;
  farewell: Farewell | undefined;
  /** Stable code with which the stream ended; `ended` for an orderly end. */
  ended: string | undefined;
  readonly #call: ClientDuplexStream<SyncRequest, SyncResponse>;

  constructor(
    client: AgentServiceClient,
    readonly nodeId: string,
    private readonly options: HelloOptions,
  ) {
    this.entries = new Map(options.held);
    this.position = options.position ?? { epoch: 0, revision: 0 };
    this.#call = client.sync();
    this.#call.on('data', (response: SyncResponse) => this.#receive(response));
    this.#call.on('error', (error: ServiceError) => {
      this.ended ??= codeOf(error);
    });
    this.#call.on('end', () => {
      this.ended ??= 'ended';
    });
    this.#write({
      $case: 'hello',
      value: {
        nodeId: options.nodeId ?? nodeId,
        startGeneration: options.startGeneration ?? 1,
        position: options.position,
        digest: Buffer.from(options.digest ?? (options.held ? digestOf(options.held.values()) : [])),
        agentVersion: 'test',
        listenPort: 51_820,
        record: undefined,
        signalPort: options.signalPort ?? 0,
      },
    });
  }

  get peers(): PeerEntry[] {
    return [...this.entries.values()].map((bytes) => PeerEntry.decode(bytes));
  }
  get names(): string[] {
    return this.peers.map((peer) => peer.name).sort();
  }
  get digest(): Buffer {
    return digestOf(this.entries.values());
  }

  heartbeat(digest: Uint8Array = this.digest): void {
    this.#write({ $case: 'heartbeat', value: { position: this.position, digest: Buffer.from(digest) } });
  }

  async synced(): Promise<this> {
    await until(
      () => this.snapshots.length + this.deltas.length > 0 || this.farewell !== undefined || this.ended !== undefined,
      'first answer',
    );
    return this;
  }

  sees(...names: string[]): Promise<void> {
    return until(() => this.names.join() === [...names].sort().join(), `sees ${names}`, 5_000).catch((error: Error) => {
      throw new Error(`${error.message}; sees ${this.names}, farewell ${this.farewell?.code}, ended ${this.ended}`);
    });
  }

  /** Stops reading, as an agent does whose host is asleep. */
  pause(): void {
    this.#call.pause();
  }
  resume(): void {
    this.#call.resume();
  }
  cancel(): void {
    this.#call.cancel();
  }

  send(message: SyncRequest['message']): void {
    this.#write(message);
  }

  #receive({ message }: SyncResponse): void {
    if (message?.$case === 'snapshot') this.#takeSnapshot(message.value);
    else if (message?.$case === 'delta') this.#takeDelta(message.value);
    else if (message?.$case === 'heartbeatReply') this.replies.push(message.value);
    else if (message?.$case === 'signalTicket') this.tickets.push(message.value.ticket);
    else if (message?.$case === 'reportPolicy') this.policies.push(message.value.intervalMs);
    else if (message?.$case === 'explain') this.#explain(message.value);
    else if (message?.$case === 'farewell') this.farewell = message.value;
  }

  #explain(question: Explain): void {
    this.questions.push(question);
    const { explanation } = this.options;
    if (!explanation) return;
    const value = { id: question.id, json: JSON.stringify(explanation), failure: '' };
    this.#write({ $case: 'explainAnswer', value });
  }

  #takeSnapshot(snapshot: Snapshot): void {
    this.snapshots.push(snapshot);
    this.entries.clear();
    this.self = snapshot.self;
    this.tombstones.push(...snapshot.tombstones);
    this.#apply(snapshot.peers, snapshot.position!);
  }

  #takeDelta(delta: Delta): void {
    this.deltas.push(delta);
    const { epoch, revision } = this.position;
    if (delta.from?.revision !== revision || delta.from.epoch !== epoch)
      throw new Error('a delta does not follow the position');
    this.self = delta.self ?? this.self;
    this.tombstones.push(...delta.tombstones);
    for (const id of delta.remove) if (!this.entries.delete(id)) throw new Error(`removes ${id}, which is not there`);
    this.#apply(delta.upsert, delta.to!);
  }

  #apply(upsert: readonly Buffer[], position: Position): void {
    for (const bytes of upsert) this.entries.set(PeerEntry.decode(bytes).nodeId, bytes);
    this.position = position;
    if (this.options.acknowledge !== false) this.#write({ $case: 'ack', value: { position } });
  }

  #write(message: SyncRequest['message']): void {
    this.#call.write({ message });
  }
}
