import { type Endpoint, toHex } from '@warren/base';
import { boxPublicKey, precomputeBoxKey } from '@warren/crypto/boxes';
import type { SignalServer } from '../path-manager-api.js';
import { decodeFrame, encodeFrame, type RelayFrame } from '../relay/frames.js';
import { opensRegister, sealRegistered } from '../relay/registration-box.js';

interface Session {
  readonly session: Uint8Array;
  readonly relayId: string;
  readonly from: string;
}

/** A signal server without limits: the ticket of a test is `relay id ‖ path key`. */
export class FakeServer {
  readonly #byAddress = new Map<string, Session>();
  readonly #bySession = new Map<string, Session>();
  readonly #byRelayId = new Map<string, Session>();
  #count = 0;
  alive = true;
  /** Frames by type, in and out. */
  readonly seen = new Map<string, number>();
  readonly #secret: Uint8Array;
  readonly description: SignalServer;

  constructor(
    readonly id: string,
    readonly endpoint: Endpoint,
    readonly delayMs = 10,
    options: { readonly tls?: boolean } = {},
  ) {
    this.#secret = Uint8Array.from({ length: 32 }, (_, i) => (id.charCodeAt(i % id.length) * 7 + i) & 0xff);
    this.description = {
      id,
      name: id,
      udp: [endpoint],
      tls: options.tls ? [`${id}.example:443` as SignalServer['tls'][number]] : [],
      key: boxPublicKey(this.#secret),
    };
  }

  /** Forgets all sessions, as a restart does. */
  restart(): void {
    this.#byAddress.clear();
    this.#bySession.clear();
    this.#byRelayId.clear();
  }

  /** @param from an endpoint, or `tls` and a name. @returns what is to be sent, and to whom. */
  handle(bytes: Uint8Array, from: string): [to: string, frame: Uint8Array][] {
    const frame = this.alive ? decodeFrame(bytes) : undefined;
    if (!frame) return [];
    this.seen.set(frame.type, (this.seen.get(frame.type) ?? 0) + 1);
    const answers = this.#answer(frame, from);
    return answers.map(([to, answer]) => [to, encodeFrame(answer)]);
  }

  #answer(frame: RelayFrame, from: string): [string, RelayFrame][] {
    const seen = (from.startsWith('tls') ? '198.51.100.99:9' : from) as Endpoint;
    switch (frame.type) {
      case 'hello':
        return [[from, { type: 'challenge', nonce: frame.nonce, cookie: new Uint8Array(16).fill(3) }]];
      case 'register':
        return this.#register(frame, from, seen);
      case 'alive?': {
        const known = this.#bySession.get(toHex(frame.session));
        if (known?.from !== from) return [[from, { type: 'unknown-session', session: frame.session }]];
        return [[from, { type: 'alive', session: frame.session, sequence: frame.sequence, seen }]];
      }
      case 'send': {
        const known = this.#bySession.get(toHex(frame.session));
        if (known?.from !== from) return [[from, { type: 'unknown-session', session: frame.session }]];
        const to = this.#byRelayId.get(toHex(frame.relayId));
        if (!to) return [[from, { type: 'not-here', session: frame.session, destination: frame.relayId }]];
        const relayId = Uint8Array.from(known.relayId.match(/../g)!, (pair) => Number.parseInt(pair, 16));
        return [[to.from, { type: 'deliver', session: to.session, relayId, datagram: frame.datagram }]];
      }
      default:
        return [];
    }
  }

  #register(frame: RelayFrame & { readonly type: 'register' }, from: string, seen: Endpoint): [string, RelayFrame][] {
    const relayId = toHex(frame.ticket.subarray(0, 8));
    const key = precomputeBoxKey(frame.ticket.subarray(8), this.#secret)!;
    if (!opensRegister(key, frame.box, frame)) return [];
    const former = this.#byRelayId.get(relayId);
    if (former) this.#bySession.delete(toHex(former.session));
    const session = new Uint8Array(8).fill(++this.#count & 0xff);
    session[0] = this.#count >> 8;
    const known: Session = { session, relayId, from };
    this.#byAddress.set(from, known);
    this.#bySession.set(toHex(session), known);
    this.#byRelayId.set(relayId, known);
    const boxNonce = new Uint8Array(24).fill(this.#count);
    const box = sealRegistered(key, boxNonce, frame.nonce, { session, keepaliveSeconds: 25, seen });
    return [[from, { type: 'registered', nonce: frame.nonce, box }]];
  }
}
