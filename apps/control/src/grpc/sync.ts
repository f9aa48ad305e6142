import type { ServerDuplexStream } from '@grpc/grpc-js';
import { WarrenError } from '@warren/base';
import type { NodeRow, Store } from '@warren/db';
import type { Hello, PathReport, SyncRequest } from '@warren/proto';
import { isExpected } from '../errors.js';
import type { Hubs } from '../hub/hubs.js';
import type { NetworkHub } from '../hub/network-hub.js';
import { observedOf } from '../hub/observed.js';
import { Session, type SessionLimits, type SyncStream } from '../hub/session.js';
import type { Log } from '../log.js';
import { logFields } from '../log-fields.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { memberNode } from './renew.js';
import { agentCaller, callerAddress, statusOf } from './rpc.js';

/** Responses go out as bytes: the hub encodes, and encodes equal ones once. */
export type SyncCall = ServerDuplexStream<SyncRequest, Uint8Array>;

/** How long an opened stream may stay without its `Hello`. */
const HELLO_TIMEOUT = 10_000;
/** How long a stream may take to end after its last message before its connection is cut. */
const END_TIMEOUT = 3_000;
/** Reports that may come before the stream is taken in. */
const MOST_EARLY = 4;

export interface SyncOptions {
  readonly store: Store;
  readonly hubs: Hubs;
  readonly limits: SessionLimits;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly telemetry: Telemetry;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Cuts the connection of a caller (`getPeer`) that does not read. */
  readonly disconnect: (peer: string) => void;
}

/** Handles one `Sync` stream from its opening to its end. */
export function handleSync(call: SyncCall, options: SyncOptions): void {
  const conversation = new Conversation(call, options);
  call.on('data', (request: SyncRequest) => conversation.receive(request));
  call.on('end', () => conversation.finish());
  // Every way in which a stream may go; each is followed by no other message.
  call.on('cancelled', () => conversation.lose());
  call.on('close', () => conversation.lose());
  call.on('error', () => conversation.lose());
}

class Conversation {
  readonly #stream: SyncStream;
  readonly #helloTimer: NodeJS.Timeout;
  #begun = false;
  #over = false;
  #session: Session | undefined;
  #hub: NetworkHub | undefined;
  /** With the call's id and, once it is known, the node's and the network's: messages come outside of the call's context. */
  #log: Log;
  /** Until the stream is taken in, nobody knows whose reports they are. */
  #early: PathReport[] | undefined = [];

  constructor(
    private readonly call: SyncCall,
    private readonly options: SyncOptions,
  ) {
    this.#log = options.log.child(logFields());
    this.#stream = streamOf(call, options.disconnect);
    this.#helloTimer = setTimeout(() => {
      this.#refuse(new WarrenError('bad-request', 'the first message of a Sync stream is Hello, and it did not come'));
    }, HELLO_TIMEOUT).unref();
  }

  receive({ message }: SyncRequest): void {
    if (this.#over) return;
    if (message?.$case === 'hello' && !this.#begun) {
      this.#begun = true;
      clearTimeout(this.#helloTimer);
      this.#begin(message.value).catch((error: unknown) => this.#refuse(error));
      return;
    }
    if (!this.#session || !this.#hub) {
      if (!this.#begun || message?.$case === 'hello') {
        this.#refuse(new WarrenError('bad-request', 'a Sync stream begins with one Hello'));
      }
      return; // said before we answered: nothing to compare it with yet
    }
    if (message?.$case === 'ack') this.#session.acknowledge(message.value.position);
    else if (message?.$case === 'heartbeat') this.#hub.heartbeat(this.#session, message.value);
    else if (message?.$case === 'observation') this.#session.observed = observedOf(message.value);
    else if (message?.$case === 'pathReport') this.#report(this.#session, message.value);
    else if (message?.$case === 'explainAnswer') this.options.telemetry.explained(this.#session, message.value);
  }

  /** The agent said that it sends no more. */
  finish(): void {
    this.#session?.close();
    this.lose();
    this.call.end();
  }

  lose(): void {
    if (!this.#over && this.#session) {
      const { said } = this.#session;
      this.#log.info(said ? { farewell: said } : {}, 'agent disconnected');
      if (said === 'clone') this.options.metrics.clones.inc();
    }
    this.#over = true;
    clearTimeout(this.#helloTimer);
    if (!this.#session) return;
    this.#hub?.detach(this.#session);
    this.options.telemetry.disconnect(this.#session);
  }

  #report(session: Session, report: PathReport): void {
    if (!this.#early) this.options.telemetry.report(session, report);
    else if (this.#early.length < MOST_EARLY) this.#early.push(report);
  }

  async #begin(hello: Hello): Promise<void> {
    const { store, hubs, limits, now } = this.options;
    const node = await authenticate(this.call, hello, store);
    this.#log = this.#log.child({ node: node.id, network: node.networkId });
    const hub = await hubs.current(node.networkId);
    if (this.#over) return;
    const session = new Session(node.id, hello.startGeneration, this.#stream, limits, now);
    this.#session = session;
    this.#hub = hub;
    const from = callerAddress(this.call);
    this.#log.info({ agentVersion: hello.agentVersion.slice(0, 64) }, 'agent connected');
    await hub.attach(session, { ...hello, ...(from !== undefined && { from }) });
    if (!session.open || this.#over) return;
    const { nodes: members } = hub.version.decided.network;
    const about = { networkId: hub.id, members, address: from, version: hello.agentVersion };
    this.options.telemetry.connect({ ...about, session });
    for (const report of this.#early?.splice(0) ?? []) this.options.telemetry.report(session, report);
    this.#early = undefined;
    await noteSignalPort(store, node, hello);
  }

  #refuse(error: unknown): void {
    if (this.#over) return;
    this.lose();
    if (isExpected(error)) this.#log.info({ code: (error as WarrenError).code }, 'refused');
    else this.#log.error({ err: error }, 'failed');
    this.call.emit('error', statusOf(error));
  }
}

async function authenticate(call: SyncCall, hello: Hello, store: Store): Promise<NodeRow> {
  const caller = agentCaller(call);
  if (hello.nodeId !== caller.nodeId) throw new WarrenError('forbidden', 'the certificate is for another node');
  if (!Number.isSafeInteger(hello.startGeneration) || hello.startGeneration < 1) {
    throw new WarrenError('bad-request', 'the start generation must be a positive integer');
  }
  if (hello.signalPort > 65_535) throw new WarrenError('bad-request', 'the signal port must be 0 to 65535');
  return memberNode(store, caller.nodeId, caller.identityKey);
}

/** Others dial it, so it is a change of the node; only of one that was taken in, because a clone changes nothing. */
async function noteSignalPort(store: Store, node: NodeRow, { signalPort }: Hello): Promise<void> {
  if (node.role !== 'bounce' || (node.signalPort ?? 0) === signalPort) return;
  await store.updateNode(node.id, { signalPort: signalPort || null }, `node:${node.id}`);
}

function streamOf(call: SyncCall, disconnect: (peer: string) => void): SyncStream {
  const peer = call.getPeer();
  return {
    send: (bytes, flushed) => {
      call.write(bytes, flushed);
    },
    end: () => {
      const timer = setTimeout(() => disconnect(peer), END_TIMEOUT).unref();
      call.once('finish', () => clearTimeout(timer));
      call.end();
    },
  };
}
