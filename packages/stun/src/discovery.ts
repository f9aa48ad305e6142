import { after, elapsed, type Instant, type IpAddress, isDrop, millis, toHex } from '@warren/base';
import type { TransportAddress } from './attributes.js';
import { BINDING_METHOD } from './constants.js';
import { Probe, type ProbePlan } from './discovery-probe.js';
import { decodeMessage } from './message.js';
import type { NatBehaviour } from './nat-behaviour.js';
import { concludeFiltering, concludeMapping, type Finding, sameEndpoint } from './nat-conclusions.js';
import type { RetransmitOptions } from './transaction.js';

/** More servers than these teach nothing new about a NAT; the rest is not asked. */
export const MAX_DISCOVERY_SERVERS = 64;
/** Requests at 0, 300, 900 and 2100 ms, lost at 3300 ms: four losses in a row are rare, and nobody waits long. */
const RETRANSMIT: RetransmitOptions = { rto: 300, requests: 4, lastWait: 4 };
/** After the first answer other servers have so long, before the tests begin with those that answered. */
const SETTLE_MS = millis(1_000);

/** Sockets by number; each is bound to any port and must have sent nothing before. */
const SOCKET = {
  mapping: 0,
  otherAddress: 1,
  otherPort: 2,
  target: 3,
  helper: 4,
  hairpinA: 5,
  hairpinB: 6,
} as const;

export interface DiscoveryServer {
  readonly id: string;
  readonly endpoint: TransportAddress;
}

export interface NatDiscoveryOptions {
  /** All of one family; the first `MAX_DISCOVERY_SERVERS` are asked. */
  readonly servers: readonly DiscoveryServer[];
  /** Of this host: seen from one of them, we are not translated. */
  readonly localAddresses: readonly IpAddress[];
  /** Fresh random bytes, a new array each time. */
  readonly random: (length: number) => Uint8Array;
  readonly now: Instant;
}

/** One datagram to send from the socket of that number, which the shell opens when it is first named. */
export interface DiscoveryTransmit {
  readonly socket: number;
  readonly to: TransportAddress;
  readonly datagram: Uint8Array;
}

export interface NatDiscoveryResult {
  /** Whether any server answered over UDP. */
  readonly udp: boolean;
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  /** RFC 4787 §6; undefined: not translated, or not found out. */
  readonly hairpinning: boolean | undefined;
  /** Where servers saw one socket of ours, each once. */
  readonly reflexive: readonly TransportAddress[];
  readonly servers: readonly {
    readonly id: string;
    /** Milliseconds; undefined: no answer. */
    readonly rttMs: number | undefined;
    readonly reflexive: TransportAddress | undefined;
  }[];
}

/** How this host's NAT behaves, found out once (RFC 5780 §4); the shell owns sockets and clock. */
export interface NatDiscovery {
  /** Anything that came to a socket. Unusable bytes change nothing. */
  handleDatagram(socket: number, datagram: Uint8Array, from: TransportAddress, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollTransmit(): DiscoveryTransmit | undefined;
  /** When `handleTimeout` has something to do; undefined when it is finished. */
  pollTimeout(): Instant | undefined;
  /** Undefined until it is finished: after some 5 s at most. */
  result(): NatDiscoveryResult | undefined;
}

export function createNatDiscovery(options: NatDiscoveryOptions): NatDiscovery {
  return new Discovery(options);
}

type TestName =
  | 'mapping-port'
  | 'mapping-address'
  | 'mapping-both'
  | 'filtering-address'
  | 'filtering-port'
  | 'target'
  | 'helper'
  | 'helper-itself'
  | 'filtering-helper'
  | 'hairpin-a'
  | 'hairpin-b'
  | 'hairpin-ab'
  | 'hairpin-ba';

class Discovery implements NatDiscovery {
  private readonly contacts = new Map<DiscoveryServer, Probe>();
  private readonly tests = new Map<TestName, Probe>();
  private readonly byTransaction = new Map<string, Probe>();
  private readonly transmits: DiscoveryTransmit[] = [];
  private readonly localAddresses: ReadonlySet<IpAddress>;
  /** When the tests begin although some servers have not answered. */
  private settleAt: Instant | undefined;
  private settled = false;
  /** The server that the filtering tests are made with, and another one at another address. */
  private anchor: Probe | undefined;
  private partner: Probe | undefined;

  constructor(private readonly options: NatDiscoveryOptions) {
    this.localAddresses = new Set(options.localAddresses);
    for (const server of options.servers.slice(0, MAX_DISCOVERY_SERVERS)) this.contact(server, true, options.now);
    this.advance(options.now);
  }

  handleDatagram(socket: number, datagram: Uint8Array, from: TransportAddress, now: Instant): void {
    const message = decodeMessage(datagram);
    if (isDrop(message) || message.method !== BINDING_METHOD) return;
    const probe = this.byTransaction.get(toHex(message.transactionId));
    if (!probe) return;
    if (message.class === 'request') probe.handleOwnRequest(socket);
    else probe.handle(message, from, socket, now);
    this.advance(now);
  }

  handleTimeout(now: Instant): void {
    this.advance(now);
  }

  pollTransmit(): DiscoveryTransmit | undefined {
    return this.transmits.shift();
  }

  pollTimeout(): Instant | undefined {
    let earliest = this.settled ? undefined : this.settleAt;
    for (const probe of this.byTransaction.values()) {
      const { deadline } = probe.transaction;
      if (probe.state !== 'pending' || deadline === undefined) continue;
      if (earliest === undefined || deadline < earliest) earliest = deadline;
    }
    return earliest;
  }

  result(): NatDiscoveryResult | undefined {
    if (!this.settled || this.isPending()) return undefined;
    const mapping = concludeMapping(this.observations(), this.localAddresses);
    const findings = { otherPort: this.otherPort(), otherAddress: this.otherAddress() };
    return {
      udp: this.anchor !== undefined,
      mapping,
      filtering: concludeFiltering(findings, mapping),
      hairpinning: mapping === 'none' ? undefined : this.hairpinning(),
      reflexive: distinct(this.observations().map(({ mapped }) => mapped)),
      servers: this.options.servers.map((server) => {
        const answer = this.contacts.get(server)?.answer;
        return { id: server.id, rttMs: answer?.rttMs, reflexive: answer?.mapped };
      }),
    };
  }

  /** Sends what is due, gives up what is over, and begins what has become possible. */
  private advance(now: Instant): void {
    this.retryWithoutPadding(now);
    this.settle(now);
    if (this.anchor) this.beginDependentTests(now);
    for (const probe of this.byTransaction.values()) {
      if (probe.state !== 'pending') continue;
      const due = probe.transaction.poll(now);
      if (due === 'send') this.transmits.push({ ...probe.plan, datagram: probe.datagram });
      if (due === 'failed') probe.state = 'lost';
    }
    // What was given up just now may have been the last that the tests waited for.
    this.settle(now);
  }

  private contact(server: DiscoveryServer, padded: boolean, now: Instant): void {
    this.contacts.set(server, this.probe({ socket: SOCKET.mapping, to: server.endpoint, padded }, now));
  }

  /** A plain STUN server does not know PADDING, and says so. */
  private retryWithoutPadding(now: Instant): void {
    for (const [server, probe] of this.contacts) {
      if (probe.state === 'refused' && probe.plan.padded) this.contact(server, false, now);
    }
  }

  private settle(now: Instant): void {
    if (this.settled) return;
    const contacts = [...this.contacts.values()];
    const answered = contacts.filter(({ state }) => state === 'answered');
    if (answered.length > 0) this.settleAt ??= after(now, SETTLE_MS);
    const waiting = contacts.some(({ state }) => state === 'pending');
    if (waiting && (this.settleAt === undefined || elapsed(this.settleAt, now) < 0)) return;
    this.settled = true;
    this.anchor = answered.sort((a, b) => usefulness(b) - usefulness(a))[0];
    const { anchor } = this;
    if (!anchor) return;
    this.partner = answered.find(({ plan }) => plan.to.address !== anchor.plan.to.address);
    this.beginTests(anchor, now);
    this.advance(now);
  }

  private beginTests(anchor: Probe, now: Instant): void {
    const { to } = anchor.plan;
    const other = anchor.answer?.other;
    if (other) {
      const at = (address: IpAddress, port: number): ProbePlan => ({
        socket: SOCKET.mapping,
        to: { address, port },
        padded: true,
      });
      const change = { address: false, port: true };
      this.begin('mapping-port', at(to.address, other.port), now);
      this.begin('filtering-port', { socket: SOCKET.otherPort, to, change, padded: true }, now);
      if (other.address !== to.address) {
        this.begin('mapping-address', at(other.address, to.port), now);
        this.begin('mapping-both', at(other.address, other.port), now);
        const both = { address: true, port: true };
        this.begin('filtering-address', { socket: SOCKET.otherAddress, to, change: both, padded: true }, now);
      }
    }
    if (this.partner) {
      this.begin('target', { socket: SOCKET.target, to }, now);
      this.begin('helper', { socket: SOCKET.helper, to: this.partner.plan.to }, now);
    }
    if (concludeMapping(this.observations(), this.localAddresses) !== 'none') {
      this.begin('hairpin-a', { socket: SOCKET.hairpinA, to }, now);
      this.begin('hairpin-b', { socket: SOCKET.hairpinB, to }, now);
    }
  }

  private beginDependentTests(now: Instant): void {
    const target = this.tests.get('target')?.answer?.mapped;
    const helper = this.tests.get('helper')?.answer?.mapped;
    // RESPONSE-PORT keeps the address, so both sockets must be behind the same one.
    if (target && helper && this.partner && target.address === helper.address) {
      const plan = { socket: SOCKET.helper, to: this.partner.plan.to };
      this.begin('helper-itself', { ...plan, responsePort: helper.port, answerAt: SOCKET.helper }, now);
      this.begin('filtering-helper', { ...plan, responsePort: target.port, answerAt: SOCKET.target }, now);
    }
    const a = this.tests.get('hairpin-a')?.answer?.mapped;
    const b = this.tests.get('hairpin-b')?.answer?.mapped;
    if (a && b) {
      // Both ways, so that each has sent to the other and filtering is not taken for a lack of hairpinning.
      this.begin('hairpin-ab', { socket: SOCKET.hairpinA, to: b, answerAt: SOCKET.hairpinB }, now);
      this.begin('hairpin-ba', { socket: SOCKET.hairpinB, to: a, answerAt: SOCKET.hairpinA }, now);
    }
  }

  private begin(name: TestName, plan: ProbePlan, now: Instant): void {
    if (!this.tests.has(name)) this.tests.set(name, this.probe(plan, now));
  }

  private probe(plan: ProbePlan, now: Instant): Probe {
    const probe = new Probe(plan, this.options.random, now, RETRANSMIT);
    this.byTransaction.set(toHex(probe.transaction.id), probe);
    return probe;
  }

  private isPending(): boolean {
    return [...this.byTransaction.values()].some(({ state }) => state === 'pending');
  }

  private observations(): { to: TransportAddress; mapped: TransportAddress }[] {
    const mapping = (['mapping-port', 'mapping-address', 'mapping-both'] as const).map((name) => this.tests.get(name));
    return [...this.contacts.values(), ...mapping].flatMap((probe) =>
      probe?.answer ? [{ to: probe.plan.to, mapped: probe.answer.mapped }] : [],
    );
  }

  /** Silence means something only where the other socket is known to answer us when we ask it ourselves. */
  private otherPort(): Finding {
    return findingOf(this.tests.get('filtering-port'), this.tests.get('mapping-port'));
  }

  /** By a server's second address (RFC 5780 §4.4), or by a second server and RESPONSE-PORT. */
  private otherAddress(): Finding {
    const findings = [
      findingOf(this.tests.get('filtering-address'), this.tests.get('mapping-both')),
      findingOf(this.tests.get('filtering-helper'), this.tests.get('helper-itself')),
    ];
    if (findings.includes('passed')) return 'passed';
    return findings.includes('stopped') ? 'stopped' : 'unknown';
  }

  private hairpinning(): boolean | undefined {
    const both = [this.tests.get('hairpin-ab'), this.tests.get('hairpin-ba')];
    if (both.some((probe) => probe?.state === 'answered')) return true;
    return both.every((probe) => probe?.state === 'lost') ? false : undefined;
  }
}

function findingOf(test: Probe | undefined, control: Probe | undefined): Finding {
  if (test?.state === 'answered') return 'passed';
  return test?.state === 'lost' && control?.state === 'answered' ? 'stopped' : 'unknown';
}

/** A second address shows most, a second port something. */
function usefulness({ plan, answer }: Probe): number {
  if (!answer?.other) return 0;
  return answer.other.address === plan.to.address ? 1 : 2;
}

function distinct(all: readonly TransportAddress[]): TransportAddress[] {
  return all.filter((one, index) => all.findIndex((other) => sameEndpoint(one, other)) === index);
}
