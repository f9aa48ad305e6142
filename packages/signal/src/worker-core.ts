import { randomFillSync } from 'node:crypto';
import { invariant } from '@warren/base';
import { PacketMemory, type Readiness, type UdpSocket, type UdpSockets, watchReadable } from '@warren/udp';
import { Authorities } from './authorities.js';
import { DropCounts } from './drop-counts.js';
import { SWEEP_INTERVAL } from './limits.js';
import type { Origin } from './origin.js';
import { Registrations } from './registrations.js';
import { Relay } from './relay.js';
import { ServerSockets } from './server-sockets.js';
import { Sessions } from './sessions.js';
import type { SignalStats } from './signal-api.js';
import { StreamHub } from './stream-hub.js';
import { UdpSender } from './udp-sender.js';
import type { FromWorker, ToWorker, WorkerOptions } from './worker-messages.js';

/** Of 64 KiB: stages of the sender, and two buffers for each of up to eight sockets. */
const MEMORY_PAGES = 40;
/** How soon a full socket is tried again, milliseconds. */
const RETRY_PAUSE = 1;

/** Everything of a signal server but its TLS connections, on one thread. */
export class WorkerCore {
  readonly #drops = new DropCounts();
  readonly #memory = new PacketMemory(MEMORY_PAGES);
  readonly #sockets: ServerSockets;
  readonly #sessions: Sessions;
  readonly #registrations: Registrations;
  readonly #relay: Relay;
  readonly #udp: UdpSender;
  readonly #streams: StreamHub;
  readonly #watches: Readiness[] = [];
  readonly #sweep: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;

  /** @param post for notices; buffers in the second argument are given away. @throws WarrenError of `ServerSockets` and `Authorities`. */
  constructor(
    options: WorkerOptions,
    private readonly post: (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void,
  ) {
    this.#sessions = new Sessions(randomBytes, { bytesPerSecond: options.clientBytesPerSecond });
    const [drops, memory, sessions, now] = [this.#drops, this.#memory, this.#sessions, () => performance.now()];
    const authorities = new Authorities(options.authorities);
    this.#sockets = new ServerSockets(options, memory);
    this.#streams = new StreamHub({
      drops,
      now,
      post: (records) => post({ type: 'frames', records }, [records.buffer]),
    });
    const sockets = this.#sockets.primary;
    this.#udp = new UdpSender({ sockets, memory, drops, onBlocked: () => this.#retryLater() });
    this.#registrations = new Registrations({
      key: options.key,
      authorities,
      sessions,
      drops,
      random: randomBytes,
      now,
      wallClock: Date.now,
      send: (to, frame) => this.#send(to, frame),
      onTombstone: (tombstone) => post({ type: 'tombstone', tombstone }),
    });
    this.#relay = new Relay({
      memory,
      sessions,
      registrations: this.#registrations,
      udp: this.#udp,
      drops,
      streams: this.#streams,
      handleOther: (datagram, from, local) => {
        if (!this.#sockets.answer(sockets, datagram, from, local)) drops.add('unknown-datagram');
      },
      now,
    });
    this.#registrations.addTombstones(options.tombstones);
    this.#watch();
    this.#sweep = setInterval(() => this.#sweepAll(), SWEEP_INTERVAL);
  }

  get port(): number {
    return this.#sockets.primary.port;
  }

  get descriptors(): number[] {
    return this.#sockets.descriptors;
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case 'stream-opened':
        this.#streams.opened(message.stream, message.remote);
        return;
      case 'stream-closed':
        this.#streamClosed(message.stream);
        return;
      case 'frames':
        this.#takeFrames(message.records);
        return;
      case 'frames-taken':
        this.#streams.taken(message.bytes);
        return;
      case 'tombstones':
        this.#registrations.addTombstones(message.tombstones);
        this.#streams.flush();
        return;
      case 'stats':
        this.post({ type: 'stats', stats: this.#stats() });
        return;
      case 'close':
        this.close();
        return;
      case 'start':
        invariant(false, 'the worker has started already');
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    clearTimeout(this.#retry);
    for (const watch of this.#watches) watch.close();
    this.#sockets.close();
  }

  #watch(): void {
    const { primary, others } = this.#sockets;
    const watch = (sockets: UdpSockets, pump: (socket: UdpSocket) => void): void => {
      for (const socket of [sockets.v4, sockets.v6]) {
        if (!socket) continue;
        const onReadable = (): void => pump(socket);
        const onError = (): 'continue' => {
          onReadable(); // receiving takes the pending error off the socket
          return 'continue';
        };
        this.#watches.push(watchReadable(socket.fd, onReadable, onError));
      }
    };
    watch(primary, (socket) => {
      this.#relay.pump(socket);
      this.#streams.flush();
    });
    for (const sockets of others) watch(sockets, (socket) => this.#sockets.pumpStun(sockets, socket));
  }

  #takeFrames(records: Uint8Array): void {
    this.#streams.take(records, (frame, from) => this.#relay.handleStreamFrame(frame, from));
    this.#udp.flush();
    this.#streams.flush();
    this.post({ type: 'frames-taken', bytes: records.length });
  }

  #streamClosed(stream: number): void {
    this.#streams.closed(stream);
    const session = this.#sessions.ofStream(stream);
    if (session) this.#sessions.remove(session);
  }

  #sweepAll(): void {
    this.#registrations.sweep();
    if (this.#streams.size === 0) return;
    for (const stream of this.#streams.idle((one) => this.#sessions.ofStream(one) !== undefined))
      this.post({ type: 'close-stream', stream });
  }

  #send(to: Origin, frame: Uint8Array): void {
    if (to.kind === 'udp') this.#udp.answer(to, frame);
    else this.#streams.send(to.stream, frame);
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      if (this.#udp.retry()) this.#retryLater();
    }, RETRY_PAUSE);
  }

  #stats(): SignalStats {
    const drops = this.#drops.toRecord();
    for (const socket of [this.#sockets.primary.v4, this.#sockets.primary.v6]) {
      for (const [name, count] of socket?.errors ?? []) {
        drops[`udp-receive-${name}`] = (drops[`udp-receive-${name}`] ?? 0) + count;
      }
    }
    return {
      sessions: this.#sessions.size,
      relayedDatagrams: this.#udp.datagrams + this.#streams.datagrams,
      relayedBytes: this.#udp.bytes + this.#streams.bytes,
      drops,
    };
  }
}

function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}
