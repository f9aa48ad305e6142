import { setTimeout as delay } from 'node:timers/promises';
import type { AgentServiceClient, Position } from '@warren/proto';
import { until } from './control-plane.fixture.js';
import type { FakeAgent } from './fake-agent.fixture.js';
import { FakeStream } from './fake-stream.fixture.js';

const AGAIN = 100;
/** For good: the agent stops. */
const FINAL = ['node-revoked', 'node-removed', 'node-expired'];

/** A fake agent that comes back whatever happens, from where it stands, as a real one does. */
export class FollowingAgent {
  stream: FakeStream | undefined;
  /** Why it stopped for good. */
  gone: string | undefined;
  /** How often it began from zero although it held something. */
  resyncs = 0;
  #closed = false;
  #client: AgentServiceClient | undefined;
  readonly #running: Promise<void>;

  constructor(
    readonly agent: FakeAgent,
    readonly name: string,
  ) {
    this.#running = this.#run();
  }

  get nodeId(): string {
    return this.agent.nodeId;
  }

  /**
   * Asks the control plane to compare digests until it answers for `revision`. @throws Error when that does not come
   * about, or the digests differ.
   */
  async agreesAt(revision: number, timeout = 30_000): Promise<void> {
    let asked: FakeStream | undefined;
    let replies = 0;
    const state = (): string => {
      const { position, farewell, ended } = this.stream ?? {};
      return `at ${position?.revision}, gone ${this.gone}, farewell ${farewell?.code}, ended ${ended}`;
    };
    const agreed = (): boolean => {
      const { stream } = this;
      if (!stream || stream.snapshots.length + stream.deltas.length === 0) return false;
      const reply = stream.replies.at(-1);
      const fresh = asked === stream && stream.replies.length > replies;
      if (fresh && reply?.position?.revision === revision && stream.position.revision === revision) {
        if (!reply.digest.equals(stream.digest)) throw new Error(`${this.name} holds something else at ${revision}`);
        return true;
      }
      if (asked !== stream || fresh) {
        asked = stream;
        replies = stream.replies.length;
        stream.heartbeat();
      }
      return false;
    };
    await until(agreed, `${this.name} agrees at revision ${revision}`, timeout).catch((error: Error) => {
      throw new Error(`${error.message}; ${state()}`, { cause: error });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.stream?.cancel();
    this.#client?.close();
    await this.#running;
    this.agent.close();
  }

  async #run(): Promise<void> {
    let position: Position | undefined;
    let held = new Map<string, Buffer>();
    while (!this.#closed && this.gone === undefined) {
      this.#client = this.agent.client();
      const resuming = position && { position, held };
      this.stream = new FakeStream(this.#client, this.agent.nodeId, { startGeneration: 1, ...resuming });
      const stream = this.stream;
      while (stream.ended === undefined && !this.#closed) await delay(10);
      const code = stream.farewell?.code ?? stream.ended ?? '';
      if (FINAL.includes(code)) this.gone = code;
      // What was applied is on disk, in a real agent.
      if (stream.position.revision > 0) [position, held] = [stream.position, new Map(stream.entries)];
      if (code === 'resync' && position) {
        this.resyncs += 1;
        position = undefined;
      }
      this.#client.close();
      if (this.gone === undefined && !this.#closed) await delay(AGAIN);
    }
  }
}
