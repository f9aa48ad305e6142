import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type HostPort, parseHostPort } from '@warren/base';
import { StreamFrames } from '@warren/paths';

/** ALPN protocol of the relay over TLS (docs/protocol/signalling.md). */
const RELAY_ALPN = 'warren-relay/1';
/** Between the beginnings of attempts at a server's addresses (RFC 8305 §8 has 250 ms between addresses of one name). */
const STAGGER = 200;
const CONNECT_TIMEOUT = 5_000;
/** First and longest pause after all addresses have failed, milliseconds. */
const RETRY_FIRST = 500;
const RETRY_MAX = 30_000;
/** Bytes that wait for a stream that is slower than what is sent: then the oldest go, as on any narrow link. */
const MAX_QUEUED = 256 << 10;
const KEEPALIVE = 30_000;

export interface RelayStreamOptions {
  readonly addresses: readonly HostPort[];
  /** What the server's certificate is verified by. */
  readonly root: string;
  readonly serverName: string;
  /** Replaced in tests. */
  readonly connect?: (options: ConnectionOptions & { readonly host: string; readonly port: number }) => TLSSocket;
  readonly onOpen: () => void;
  /** The stream that was open has ended, or none could be opened; it goes on trying. */
  readonly onClosed: (reason: string) => void;
  /** Views that the next frame overwrites. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** After the frames that came together. */
  readonly onIdle: () => void;
}

/** The TLS stream to one signal server, opened again and again until `close`: frames behind their 16-bit length. */
export class RelayStream {
  /** Frames lost because the stream was slower than they came. */
  dropped = 0;
  #socket: TLSSocket | undefined;
  readonly #attempts = new Set<TLSSocket>();
  #waiting: NodeJS.Timeout[] = [];
  #retry: NodeJS.Timeout | undefined;
  #pause = RETRY_FIRST;
  #queue: Buffer[] = [];
  #queued = 0;
  #blocked = false;
  #closed = false;

  constructor(private readonly options: RelayStreamOptions) {
    this.#dial();
  }

  /** Sends one frame of two parts, copied. @returns false when the stream is not open. */
  send(header: Uint8Array, datagram: Uint8Array): boolean {
    if (!this.#socket) return false;
    const length = header.length + datagram.length;
    const frame = Buffer.allocUnsafe(2 + length);
    frame.writeUInt16BE(length);
    frame.set(header, 2);
    frame.set(datagram, 2 + header.length);
    if (this.#blocked) this.#enqueue(frame);
    else this.#write(this.#socket, frame);
    return true;
  }

  /** Tries at once, however long the pause would have lasted; a stream that is open stays. */
  retry(): void {
    this.#pause = RETRY_FIRST;
    if (this.#closed || this.#socket) return;
    this.#abandon();
    this.#dial();
  }

  close(): void {
    this.#closed = true;
    this.#abandon();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  /** All addresses, one after the other without waiting for those before: a network may swallow what goes to some ports. */
  #dial(): void {
    let left = this.options.addresses.length;
    const failed = (reason: string): void => {
      if (--left === 0) this.#failed(reason);
    };
    if (left === 0) this.#retry = setTimeout(() => this.options.onClosed('the server has no address for TLS'));
    this.#waiting = this.options.addresses.map((address, i) =>
      setTimeout(() => this.#attempt(address, failed), i * STAGGER),
    );
  }

  #attempt(address: HostPort, failed: (reason: string) => void): void {
    const { root, serverName } = this.options;
    const target = parseHostPort(address);
    if (!target) {
      failed(`${address} is no host:port`);
      return;
    }
    const socket = (this.options.connect ?? connect)({
      ...target,
      ca: root,
      servername: serverName,
      ALPNProtocols: [RELAY_ALPN],
      minVersion: 'TLSv1.3',
    });
    this.#attempts.add(socket);
    let reason = 'it was closed by the server';
    socket.setTimeout(CONNECT_TIMEOUT, () => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT} ms`)));
    socket.on('error', (error) => {
      reason = error.message.replace(/^connect (E[A-Z]+) .*/, '$1'); // the address is said anyway
    });
    socket.once('close', () => {
      if (this.#socket === socket) this.#ended(`${address}: ${reason}`);
      else if (this.#attempts.delete(socket)) failed(`${address}: ${reason}`);
    });
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol === RELAY_ALPN) this.#opened(socket);
      else socket.destroy(new Error('no relay is served there'));
    });
  }

  #opened(socket: TLSSocket): void {
    this.#attempts.delete(socket);
    this.#abandon();
    this.#socket = socket;
    this.#pause = RETRY_FIRST;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE);
    const frames = new StreamFrames();
    socket.on('data', (chunk) => {
      frames.take(chunk, this.options.onFrame);
      this.options.onIdle();
    });
    socket.on('drain', () => this.#drained(socket));
    this.options.onOpen();
  }

  #ended(reason: string): void {
    this.#socket = undefined;
    this.#failed(reason);
  }

  #failed(reason: string): void {
    this.#queue = [];
    this.#queued = 0;
    this.#blocked = false;
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.#dial(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, RETRY_MAX);
    this.options.onClosed(reason);
  }

  /** Ends every attempt, and the pause before the next. */
  #abandon(): void {
    for (const timer of this.#waiting) clearTimeout(timer);
    clearTimeout(this.#retry);
    const attempts = [...this.#attempts];
    this.#attempts.clear();
    for (const attempt of attempts) attempt.destroy();
  }

  #enqueue(frame: Buffer): void {
    this.#queue.push(frame);
    this.#queued += frame.length;
    while (this.#queued > MAX_QUEUED) {
      this.#queued -= this.#queue.shift()!.length;
      this.dropped++;
    }
  }

  #drained(socket: TLSSocket): void {
    this.#blocked = false;
    for (let frame = this.#queue.shift(); frame; frame = this.#queue.shift()) {
      this.#queued -= frame.length;
      this.#write(socket, frame);
      if (this.#blocked) return;
    }
  }

  /** What is written in one turn of the event loop goes out as one. */
  #write(socket: TLSSocket, frame: Buffer): void {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    this.#blocked = !socket.write(frame);
  }
}
