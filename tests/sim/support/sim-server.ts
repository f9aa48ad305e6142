import {
  type Endpoint,
  equalBytes,
  formatEndpoint,
  type HostPort,
  type IpAddress,
  SecretKey,
  toHex,
} from '@warren/base';
import { boxPublicKey, precomputeBoxKey } from '@warren/crypto/boxes';
import {
  decodeFrame,
  encodeFrame,
  encodeStreamFrame,
  opensRegister,
  type SignalServer,
  StreamFrames,
  sealRegistered,
} from '@warren/paths';
import { Host, type Internet, type SimSocket, type SimStream } from '@warren/simnet';

const UDP_PORT = 3478;
const TLS_PORT = 443;
const KEEPALIVE_SECONDS = 25;
/** docs/protocol/signalling.md: sessions end after three missed keepalives. */
const FORMER_GRACE_MS = 2000;
const SESSION_TIMEOUT_MS = 3 * KEEPALIVE_SECONDS * 1000 + 5000;

/** One way to answer: an address, or a stream. */
interface Origin {
  readonly kind: 'udp' | 'stream';
  readonly name: string;
  readonly seen: Endpoint;
  send(frame: Uint8Array): void;
}

interface Session {
  readonly name: Uint8Array;
  readonly relayId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly origin: Origin;
  lastHeardAt: number;
}

/** Tickets of the simulated network are not signed: relay id and path key. */
export const simTicket = (relayId: Uint8Array, pathKey: Uint8Array): Uint8Array =>
  Uint8Array.from([...relayId, ...pathKey]);

/**
 * A signal server as docs/protocol/signalling.md has it, without limits and without signatures. It is written from the page and
 * not from the real server, so that agents are held to what the page says.
 */
export class SimServer {
  readonly host: Host;
  readonly listed: SignalServer;
  alive = true;
  /** Control frames that it got, and datagrams that it relayed. */
  controlFrames = 0;
  relayed = 0;
  private readonly key: SecretKey;
  private readonly cookie: Uint8Array;
  private sessions = new Map<string, Session>();
  /** Where an agent registered last: its datagrams go there. */
  private current = new Map<string, Session>();
  private socket: SimSocket | undefined;
  private streams = new Set<SimStream>();

  constructor(
    private readonly internet: Internet,
    id: string,
    addresses: readonly IpAddress[],
    private readonly bytes: (length: number) => Uint8Array,
    delayMs: number,
  ) {
    this.host = new Host(internet, id, { delayMs });
    this.host.moveTo(internet.core, ...addresses);
    this.key = new SecretKey(bytes(32));
    this.cookie = bytes(16);
    this.listed = {
      id,
      name: id,
      udp: addresses.map((address) => formatEndpoint(address, UDP_PORT)),
      tls: addresses.map((address) => formatEndpoint(address, TLS_PORT) as string as HostPort),
      key: boxPublicKey(this.key.expose()),
    };
    this.start();
  }

  start(): void {
    this.alive = this.host.link.up = true;
    this.sessions = new Map();
    this.current = new Map();
    this.socket = this.host.openSocket(UDP_PORT, (payload, { address, port }) => {
      const seen = formatEndpoint(address, port);
      this.handle(payload, {
        kind: 'udp',
        name: seen,
        seen,
        send: (frame) => this.socket?.send({ address, port }, frame),
      });
    });
    this.host.listen(TLS_PORT, (stream, remote) => this.accept(stream, formatEndpoint(remote.address, remote.port)));
  }

  /** `process`: streams are closed and nobody listens. `machine`: nothing answers at all. */
  kill(what: 'process' | 'machine'): void {
    this.alive = false;
    if (what === 'process') for (const stream of this.streams) stream.close();
    else this.host.link.up = false;
    this.streams.clear();
    this.socket?.close();
    this.socket = undefined;
    this.host.stopListening(TLS_PORT);
  }

  private accept(stream: SimStream, seen: Endpoint): void {
    const frames = new StreamFrames();
    this.streams.add(stream);
    const origin: Origin = {
      kind: 'stream',
      name: `stream ${toHex(this.bytes(8))}`,
      seen,
      send: (frame) => stream.send(encodeStreamFrame(frame)),
    };
    stream.handlers = {
      received: (chunk) =>
        this.streams.has(stream) && frames.take(chunk, (frame) => this.handle(frame.slice(), origin)),
      closed: () => {
        this.streams.delete(stream);
        for (const session of this.sessions.values()) if (session.origin === origin) this.end(session);
      },
    };
  }

  private handle(bytes: Uint8Array, origin: Origin): void {
    const frame = decodeFrame(bytes);
    if (!frame) return;
    if (frame.type !== 'send') this.controlFrames++;
    if (frame.type === 'hello') {
      origin.send(encodeFrame({ type: 'challenge', nonce: frame.nonce, cookie: this.cookie }));
    } else if (frame.type === 'register') {
      this.register(frame.nonce, frame.cookie, frame.ticket, frame.box, origin);
    } else if (frame.type === 'alive?' && this.sessionOf(frame.session, origin)) {
      const { session, sequence } = frame;
      origin.send(encodeFrame({ type: 'alive', session, sequence, seen: origin.seen }));
    } else if (frame.type === 'send') {
      const session = this.sessionOf(frame.session, origin);
      if (session) this.relay(session, frame.relayId, frame.datagram);
    }
  }

  private register(nonce: Uint8Array, cookie: Uint8Array, ticket: Uint8Array, box: Uint8Array, origin: Origin): void {
    const boxKey = precomputeBoxKey(ticket.subarray(8, 40), this.key.expose());
    if (!equalBytes(cookie, this.cookie) || !boxKey || !opensRegister(boxKey, box, { nonce, cookie, ticket })) {
      origin.send(encodeFrame({ type: 'refused', nonce, reason: 'ticket-bad' }));
      return;
    }
    const session = this.admit(ticket.slice(0, 8), nonce, origin);
    const registration = { session: session.name, keepaliveSeconds: KEEPALIVE_SECONDS, seen: origin.seen };
    origin.send(
      encodeFrame({ type: 'registered', nonce, box: sealRegistered(boxKey, this.bytes(24), nonce, registration) }),
    );
  }

  /** A register that comes twice gets the same session; another one ends that over the same kind of way. */
  private admit(relayId: Uint8Array, nonce: Uint8Array, origin: Origin): Session {
    const own = [...this.sessions.values()].filter((one) => equalBytes(one.relayId, relayId));
    const same = own.find((one) => one.origin.name === origin.name && equalBytes(one.nonce, nonce));
    if (same) return same;
    for (const former of own) {
      if (former.origin.kind !== origin.kind) continue;
      // What is under way from the former one is still relayed for a while.
      if (origin.kind === 'udp') this.internet.after(FORMER_GRACE_MS, () => this.end(former));
      else this.end(former);
    }
    const session: Session = {
      name: this.bytes(8),
      relayId,
      nonce: nonce.slice(),
      origin,
      lastHeardAt: this.internet.now,
    };
    this.sessions.set(toHex(session.name), session);
    this.current.set(toHex(relayId), session);
    return session;
  }

  /** Unless the session is of this origin and alive, says that it is not known. */
  private sessionOf(name: Uint8Array, origin: Origin): Session | undefined {
    const session = this.sessions.get(toHex(name));
    if (session && session.lastHeardAt + SESSION_TIMEOUT_MS < this.internet.now) this.end(session);
    else if (session?.origin.name === origin.name) {
      session.lastHeardAt = this.internet.now;
      return session;
    }
    origin.send(encodeFrame({ type: 'unknown-session', session: name }));
    return undefined;
  }

  private relay(from: Session, destination: Uint8Array, datagram: Uint8Array): void {
    const to = this.current.get(toHex(destination));
    if (!to || to.lastHeardAt + SESSION_TIMEOUT_MS < this.internet.now) {
      from.origin.send(encodeFrame({ type: 'not-here', session: from.name, destination }));
      return;
    }
    this.relayed++;
    to.origin.send(encodeFrame({ type: 'deliver', session: to.name, relayId: from.relayId, datagram }));
  }

  private end(session: Session): void {
    this.sessions.delete(toHex(session.name));
    const id = toHex(session.relayId);
    if (this.current.get(id) !== session) return;
    const other = [...this.sessions.values()].findLast((one) => equalBytes(one.relayId, session.relayId));
    if (other) this.current.set(id, other);
    else this.current.delete(id);
  }
}
