import { createSocket, type Socket } from 'node:dgram';
import type { Duplex } from 'node:stream';
import { type Instant, instant } from '@warren/base';
import { boxPublicKey } from '@warren/crypto/boxes';
import {
  createRelayClient,
  decodeFrame,
  encodeStreamFrame,
  isDeliver,
  type RelayClient,
  type RelayClientEvent,
  StreamFrames,
} from '@warren/paths';
import { type FrameOf, random, SERVER_KEY, sendFrame, TestAgent, type TestAgentOptions } from './test-agent.js';

/** An agent on a real socket or stream: a `RelayClient` driven as the data plane does. */
export class LiveAgent extends TestAgent {
  readonly client: RelayClient;
  readonly delivered: FrameOf<'deliver'>[] = [];
  readonly events: RelayClientEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    name: string,
    transport: 'udp' | 'tls',
    private readonly write: (frame: Uint8Array) => void,
    readonly close: () => void,
    options: TestAgentOptions = {},
  ) {
    super(name, options);
    this.client = createRelayClient({
      server: 'here',
      serverKey: boxPublicKey(SERVER_KEY.expose()),
      transport,
      pathKey: this.pathKey,
      random,
    });
    this.client.setTicket(this.ticket, now());
  }

  /** Over UDP to `port` of the loopback. */
  static async overUdp(name: string, port: number, options?: TestAgentOptions): Promise<LiveAgent> {
    const socket: Socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
    const write = (frame: Uint8Array): void => void socket.send(frame);
    const agent: LiveAgent = new LiveAgent(name, 'udp', write, () => agent.#end(() => socket.close()), options);
    socket.on('message', (message) => agent.#take(new Uint8Array(message)));
    socket.on('error', () => undefined); // the server's port is closed: lost, as on any network
    return agent.#started();
  }

  static overStream(name: string, stream: Duplex, options?: TestAgentOptions): LiveAgent {
    const write = (frame: Uint8Array): void => void stream.write(encodeStreamFrame(frame));
    const agent: LiveAgent = new LiveAgent(name, 'tls', write, () => agent.#end(() => stream.destroy()), options);
    const frames = new StreamFrames();
    stream.on('data', (chunk: Uint8Array) => frames.take(chunk, (frame) => agent.#take(frame.slice())));
    return agent.#started();
  }

  send(to: TestAgent, datagram: Uint8Array): void {
    this.write(sendFrame(this.client.session ?? new Uint8Array(8), to, datagram));
  }

  /** Sends what the client has, and re-arms its timer. */
  settle(): void {
    for (let frame = this.client.pollTransmit(); frame; frame = this.client.pollTransmit()) this.write(frame);
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) this.events.push(event);
    clearTimeout(this.#timer);
    const at = this.client.pollTimeout();
    if (at === undefined) return;
    this.#timer = setTimeout(() => {
      this.client.handleTimeout(now());
      this.settle();
    }, at - now());
  }

  #started(): this {
    this.client.start(now());
    this.settle();
    return this;
  }

  #take(frame: Uint8Array): void {
    if (isDeliver(frame)) this.delivered.push(decodeFrame(frame) as FrameOf<'deliver'>);
    else this.client.handleFrame(frame, now());
    this.settle();
  }

  #end(close: () => void): void {
    clearTimeout(this.#timer);
    close();
  }
}

export const now = (): Instant => instant(performance.now());
