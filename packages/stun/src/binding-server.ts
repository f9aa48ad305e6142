import { type IpAddress, ipFamily, isDrop, parseIpAddress } from '@warren/base';
import {
  addressAttribute,
  attributeValue,
  type ChangeRequest,
  errorCodeAttribute,
  readChangeRequest,
  readResponsePort,
  type TransportAddress,
  unknownAttributesAttribute,
  xorMappedAddressAttribute,
} from './attributes.js';
import { ATTRIBUTE, BINDING_METHOD, MAX_RESPONSE_RATIO, MIN_RESPONSE_PORT } from './constants.js';
import { FINGERPRINT_LENGTH } from './fingerprint.js';
import { decodeMessage, encodeMessage, messageLength, type StunAttribute, type StunMessage } from './message.js';

/** One of the four sockets of RFC 5780 §3: the first or second address with the first or second port. */
export type ServerSocket = 'primary' | 'alternate-port' | 'alternate-address' | 'both';

export interface BindingServerOptions {
  /**
   * Where the sockets are bound. `alternate-port`: the same address, another port, which every host can have; the other
   * two need a second address and come together. An unspecified address (`0.0.0.0`, `::`) means: whichever the request
   * came to.
   */
  readonly sockets: { readonly primary: TransportAddress } & { readonly [S in ServerSocket]?: TransportAddress };
}

/** One datagram to send: from which socket, and where to. */
export interface BindingAnswer {
  readonly datagram: Uint8Array;
  readonly via: ServerSocket;
  /** The sender; with RESPONSE-PORT another port of the sender's address. */
  readonly to: TransportAddress;
}

/** Keeps nothing between requests. */
export interface BindingServer {
  /**
   * The answer to a datagram that came `from` somebody to our socket `at`; undefined: none. Requests of the Binding
   * method alone are answered, with at most `MAX_RESPONSE_RATIO` times as many bytes. Never throws.
   */
  answer(datagram: Uint8Array, from: TransportAddress, at: ServerSocket): BindingAnswer | undefined;
}

/** What a request may hold that must be understood. Credentials are: nobody is asked for any. */
const UNDERSTOOD = new Set<number>(Object.values(ATTRIBUTE));
const COMPREHENSION_OPTIONAL = 0x8000;

/** A binding server (RFC 8489 §12) with RFC 5780 as far as its sockets go. */
export function createBindingServer(options: BindingServerOptions): BindingServer {
  return { answer: (datagram, from, at) => answer(options.sockets, datagram, from, at) };
}

type Sockets = BindingServerOptions['sockets'];

function answer(
  sockets: Sockets,
  datagram: Uint8Array,
  from: TransportAddress,
  at: ServerSocket,
): BindingAnswer | undefined {
  const request = decodeMessage(datagram);
  if (isDrop(request) || request.class !== 'request' || request.method !== BINDING_METHOD) return undefined;
  const limit = Math.floor(datagram.length * MAX_RESPONSE_RATIO);
  const refuse = (code: number, reason: string, unknown: readonly number[] = []): BindingAnswer | undefined => {
    const attributes = [errorCodeAttribute({ code, reason })];
    if (unknown.length > 0) attributes.push(unknownAttributesAttribute(unknown));
    const reply = respond(request, 'error', attributes, limit);
    return reply && { datagram: reply, via: at, to: from };
  };
  const unknown = unknownAttributes(request);
  // The reasons are short, so that they fit into what a short request allows.
  if (unknown.length > 0) return refuse(420, 'Unknown', unknown);
  const change = readChangeRequest(request);
  if (!change && attributeValue(request, 'CHANGE-REQUEST')) return refuse(400, 'Bad');
  const via = change ? changed(at, change) : at;
  const offered = via === at || endpointOf(sockets, via, from.address) !== undefined;
  if (!offered) return refuse(420, 'Unknown', [ATTRIBUTE['CHANGE-REQUEST']]);
  const port = readResponsePort(request);
  if (attributeValue(request, 'RESPONSE-PORT')) {
    // RFC 5780 §6.1: not together with PADDING, whose answer may be long. Ours is not, and the limit needs PADDING.
    if (port === undefined || (port < MIN_RESPONSE_PORT && port !== from.port)) return refuse(400, 'Bad');
  }
  const reply = respond(request, 'success', successAttributes(sockets, request, from, { at, via }, limit), limit);
  return reply && { datagram: reply, via, to: { address: from.address, port: port ?? from.port } };
}

const unknownAttributes = (request: StunMessage): number[] => [
  ...new Set(
    request.attributes.map(({ type }) => type).filter((type) => type < COMPREHENSION_OPTIONAL && !UNDERSTOOD.has(type)),
  ),
];

function successAttributes(
  sockets: Sockets,
  request: StunMessage,
  from: TransportAddress,
  { at, via }: { at: ServerSocket; via: ServerSocket },
  limit: number,
): StunAttribute[] {
  const attributes = [xorMappedAddressAttribute(from, request.transactionId)];
  const other = otherSocket(sockets, at, from.address);
  const origin = endpointOf(sockets, via, from.address);
  const more: StunAttribute[] = [];
  if (other) more.push(addressAttribute('OTHER-ADDRESS', other));
  if (origin && !isUnspecified(origin.address)) more.push(addressAttribute('RESPONSE-ORIGIN', origin));
  // Whole or not at all: a client that got half of it would draw conclusions.
  const tail = attributeValue(request, 'FINGERPRINT') ? FINGERPRINT_LENGTH : 0;
  return messageLength([...attributes, ...more]) + tail <= limit ? [...attributes, ...more] : attributes;
}

function respond(
  request: StunMessage,
  outcome: 'success' | 'error',
  attributes: readonly StunAttribute[],
  limit: number,
): Uint8Array | undefined {
  const response = { class: outcome, method: BINDING_METHOD, transactionId: request.transactionId, attributes };
  const fingerprint = attributeValue(request, 'FINGERPRINT') !== undefined;
  const length = messageLength(attributes) + (fingerprint ? FINGERPRINT_LENGTH : 0);
  return length <= limit ? encodeMessage(response, { fingerprint }) : undefined;
}

/** RFC 5780 §6.1, table 1: changes are relative to the socket that the request came to. */
function changed(at: ServerSocket, change: ChangeRequest): ServerSocket {
  const address = (at === 'alternate-address' || at === 'both') !== change.address;
  const port = (at === 'alternate-port' || at === 'both') !== change.port;
  if (address) return port ? 'both' : 'alternate-address';
  return port ? 'alternate-port' : 'primary';
}

/** Where a socket is for a client of that family; undefined: it is not. */
function endpointOf(sockets: Sockets, socket: ServerSocket, client: IpAddress): TransportAddress | undefined {
  const endpoint = sockets[socket];
  if (!endpoint) return undefined;
  // One socket on `::` serves both families.
  if (isUnspecified(endpoint.address)) return { address: unspecified(client), port: endpoint.port };
  return ipFamily(endpoint.address) === ipFamily(client) ? endpoint : undefined;
}

/**
 * OTHER-ADDRESS (RFC 5780 §7.4): both changed. With one address it is that address with the other port: a client that
 * finds the same address in it knows that there is no other one. Beside the RFC, which then leaves it out; without it
 * nobody could learn the port, and with it what one address can show.
 */
function otherSocket(sockets: Sockets, at: ServerSocket, client: IpAddress): TransportAddress | undefined {
  return (
    endpointOf(sockets, changed(at, { address: true, port: true }), client) ??
    endpointOf(sockets, changed(at, { address: false, port: true }), client)
  );
}

const UNSPECIFIED = { 4: parseIpAddress('0.0.0.0')!, 6: parseIpAddress('::')! } as const;
const unspecified = (like: IpAddress): IpAddress => UNSPECIFIED[ipFamily(like)];
/** Whether an address stands for “whichever” (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2). */
const isUnspecified = (address: IpAddress): boolean => address === UNSPECIFIED[4] || address === UNSPECIFIED[6];
