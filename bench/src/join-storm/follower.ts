import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type AgentServiceClient, PeerEntry, type SyncRequest, type SyncResponse } from '@warren/proto';
import { entryHash } from './joiner.js';

const MASK = (1n << 256n) - 1n;

/** One Sync stream: takes what comes, acknowledges, and keeps the digest of it. */
export class Follower {
  readonly #call: ClientDuplexStream<SyncRequest, SyncResponse>;
  readonly #hashes = new Map<string, bigint>();
  #digest = 0n;
  #position: { epoch: number; revision: number } | undefined;
  #broken = false;
  #closing = false;
  #agreed: (() => void) | undefined;

  constructor(
    private readonly client: AgentServiceClient,
    nodeId: string,
  ) {
    this.#call = client.sync();
    this.#call.on('data', (response: SyncResponse) => this.#receive(response));
    this.#call.on('error', () => this.#lost());
    this.#call.on('end', () => this.#lost());
    const hello = {
      nodeId,
      startGeneration: 1,
      position: undefined,
      digest: Buffer.alloc(0),
      agentVersion: 'bench',
      listenPort: 51_820,
      record: undefined,
      signalPort: 0,
    };
    this.#call.write({ message: { $case: 'hello', value: hello } });
  }

  /** Whether the stream was cut, or what it brought does not add up. */
  get broken(): boolean {
    return this.#broken;
  }
  get revision(): number {
    return this.#position?.revision ?? 0;
  }

  /** Asks the control plane to compare digests: a difference ends the stream, and is `broken`. */
  async compare(timeoutMs: number): Promise<void> {
    if (this.#broken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#broken = true;
        resolve();
      }, timeoutMs);
      this.#agreed = () => {
        clearTimeout(timer);
        resolve();
      };
      const digest = Buffer.from(this.#digest.toString(16).padStart(64, '0'), 'hex');
      this.#call.write({ message: { $case: 'heartbeat', value: { position: this.#position, digest } } });
    });
  }

  close(): void {
    this.#closing = true;
    this.#call.cancel();
    this.client.close();
  }

  #receive({ message }: SyncResponse): void {
    if (message?.$case === 'snapshot') {
      this.#hashes.clear();
      this.#digest = 0n;
      this.#take(message.value.peers, message.value.position);
    } else if (message?.$case === 'delta') {
      if (message.value.from?.revision !== this.#position?.revision) this.#broken = true;
      for (const id of message.value.remove) this.#replace(id, undefined);
      this.#take(message.value.upsert, message.value.to);
    } else if (message?.$case === 'heartbeatReply') this.#agreed?.();
    else if (message?.$case === 'farewell') this.#lost();
  }

  #take(entries: readonly Buffer[], position: { epoch: number; revision: number } | undefined): void {
    for (const bytes of entries) this.#replace(PeerEntry.decode(bytes).nodeId, entryHash(bytes));
    this.#position = position;
    this.#call.write({ message: { $case: 'ack', value: { position } } });
  }

  #replace(id: string, hash: bigint | undefined): void {
    this.#digest = (this.#digest - (this.#hashes.get(id) ?? 0n) + (hash ?? 0n)) & MASK;
    if (hash === undefined) this.#hashes.delete(id);
    else this.#hashes.set(id, hash);
  }

  #lost(): void {
    this.#broken ||= !this.#closing;
    this.#agreed?.();
  }
}
