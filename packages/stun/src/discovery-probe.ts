import type { Instant } from '@warren/base';
import { elapsed } from '@warren/base';
import {
  type ChangeRequest,
  changeRequestAttribute,
  paddingAttribute,
  readAddress,
  readXorMappedAddress,
  responsePortAttribute,
  type TransportAddress,
} from './attributes.js';
import { BINDING_METHOD, TRANSACTION_ID_LENGTH } from './constants.js';
import { encodeMessage, messageLength, type StunAttribute, type StunMessage } from './message.js';
import { sameEndpoint } from './nat-conclusions.js';
import { type RetransmitOptions, Transaction } from './transaction.js';

/** Long enough that a server may answer with all that it has to say, over IPv6 too. */
const PADDED_LENGTH = 48;

/** One request of a discovery. */
export interface ProbePlan {
  readonly socket: number;
  readonly to: TransportAddress;
  readonly change?: ChangeRequest;
  /** The answer shall go to that port, which is the one of the socket `answerAt`. */
  readonly responsePort?: number;
  /** Where the answer is expected; absent: at `socket`. */
  readonly answerAt?: number;
  /** PADDING; not with `responsePort` (RFC 5780 §6.1). */
  readonly padded?: boolean;
}

export interface ProbeAnswer {
  readonly mapped: TransportAddress;
  /** OTHER-ADDRESS, made sense of: where to send to; undefined: the server has no other socket. */
  readonly other: TransportAddress | undefined;
  readonly rttMs: number;
}

/**
 * A request under way. `refused`: the server cannot do what it asked for; `lost`: no answer, which may be the NAT's doing.
 */
export class Probe {
  state: 'pending' | 'answered' | 'refused' | 'lost' = 'pending';
  answer: ProbeAnswer | undefined;
  readonly transaction: Transaction;
  readonly datagram: Uint8Array;

  constructor(
    readonly plan: ProbePlan,
    random: (length: number) => Uint8Array,
    now: Instant,
    retransmit: RetransmitOptions,
  ) {
    const transactionId = random(TRANSACTION_ID_LENGTH);
    this.transaction = new Transaction(transactionId, now, retransmit);
    const attributes = attributesOf(plan);
    this.datagram = encodeMessage({ class: 'request', method: BINDING_METHOD, transactionId, attributes });
  }

  /** Takes a response with this probe's transaction id; one from where it cannot come from changes nothing. */
  handle(message: StunMessage, from: TransportAddress, socket: number, now: Instant): void {
    if (this.state !== 'pending') return;
    const { plan } = this;
    if (message.class === 'error') {
      if (socket === plan.socket && sameEndpoint(from, plan.to)) this.state = 'refused';
      return;
    }
    const mapped = readXorMappedAddress(message);
    if (!mapped || !isReachable(mapped, plan.to) || message.class !== 'success') return;
    // A server that knows neither attribute nor rule answers as if nothing had been asked for.
    const ignored = (plan.change || plan.responsePort) && socket === plan.socket && sameEndpoint(from, plan.to);
    if (ignored && plan.answerAt !== plan.socket) this.state = 'refused';
    else if (socket === (plan.answerAt ?? plan.socket) && isExpectedSource(plan, from)) {
      this.state = 'answered';
      this.answer = {
        mapped,
        other: otherOf(message, plan.to),
        rttMs: elapsed(this.transaction.lastSent, now),
      };
    }
  }

  /** Hairpinning: our own request came back in. */
  handleOwnRequest(socket: number): void {
    if (socket === this.plan.answerAt && this.state === 'pending') this.state = 'answered';
  }
}

function attributesOf(plan: ProbePlan): StunAttribute[] {
  const attributes: StunAttribute[] = [];
  if (plan.change) attributes.push(changeRequestAttribute(plan.change));
  if (plan.responsePort !== undefined) attributes.push(responsePortAttribute(plan.responsePort));
  if (plan.padded) attributes.push(paddingAttribute(PADDED_LENGTH - messageLength(attributes) - 4));
  return attributes;
}

function isExpectedSource({ change, to }: ProbePlan, from: TransportAddress): boolean {
  if (!change) return sameEndpoint(from, to);
  return (from.address !== to.address) === change.address && (from.port !== to.port) === change.port;
}

/** A server behind a NAT of its own, or bound to every address, does not know the address by which we know it. */
function otherOf(message: StunMessage, asked: TransportAddress): TransportAddress | undefined {
  const other = readAddress(message, 'OTHER-ADDRESS');
  if (!other || other.port === 0) return undefined;
  const origin = readAddress(message, 'RESPONSE-ORIGIN');
  const sameAddress = /^(0\.0\.0\.0|::)$/.test(other.address) || other.address === origin?.address;
  if (sameAddress) return other.port === asked.port ? undefined : { address: asked.address, port: other.port };
  return other.address.includes(':') === asked.address.includes(':') ? other : undefined;
}

/** What a server says may be sent to later: a port 0 or another family is none of ours, and no socket takes it. */
const isReachable = ({ address, port }: TransportAddress, asked: TransportAddress): boolean =>
  port !== 0 && address.includes(':') === asked.address.includes(':');
