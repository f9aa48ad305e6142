import { type IpAddress, invariant, ipFamily, ipFromBytes, ipToBytes } from '@warren/base';

/** Where PCP and NAT-PMP servers listen (RFC 6887 §19.1, RFC 6886 §3.1). */
export const PCP_PORT = 5351;
/** RFC 6887 §11.1. */
export const PCP_NONCE_LENGTH = 12;

/** RFC 6887 §7: one header for requests and responses; §11.1: what MAP puts behind it. */
const HEADER_LENGTH = 24;
const MAP_LENGTH = HEADER_LENGTH + 36;
/** RFC 6887 §7: “PCP messages MUST be at most 1100 octets”. */
const MAX_LENGTH = 1100;
const VERSION = 2;
const MAP = 1;
const RESPONSE = 0x80;
const UDP = 17;

/** RFC 6887 §11.1: asks for a mapping of a UDP port; with `lifetimeS` 0 for its end (§15). */
export interface PcpMapRequest {
  /** Our own address as the gateway sees it: it refuses when there is a NAT between (§8.1). */
  readonly clientAddress: IpAddress;
  /** 12 random bytes, the same for the life of a mapping. */
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  /** 0: any. */
  readonly suggestedPort: number;
  readonly suggestedAddress: IpAddress | undefined;
  readonly lifetimeS: number;
}

/** RFC 6887 §11.1, response. */
export interface PcpMapResponse {
  /** RFC 6887 §7.4; 0: success, and only then the rest counts. */
  readonly result: number;
  /** Of the mapping; of the error when there is one. */
  readonly lifetimeS: number;
  /** Seconds since the server lost its state (§8.5). */
  readonly epochS: number;
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly externalAddress: IpAddress;
}

/** What servers say when they cannot, RFC 6887 §7.4. */
const RESULTS: Readonly<Record<number, string>> = {
  1: 'it speaks another version',
  2: 'it does not permit that',
  3: 'it found the request malformed',
  4: 'it does not know mappings',
  5: 'it does not know an option',
  6: 'it found an option malformed',
  7: 'its own network fails',
  8: 'it has no resources left',
  9: 'it does not map UDP',
  10: 'the quota of mappings is used up',
  11: 'it cannot give that outer address',
  12: 'another NAT stands between',
  13: 'there are too many remote peers',
};

/** A few words for a result that is not 0. */
export const describePcpResult = (result: number): string => RESULTS[result] ?? `it refused with code ${result}`;

/** 60 bytes, new. */
export function encodePcpMapRequest(request: PcpMapRequest): Uint8Array {
  invariant(request.nonce.length === PCP_NONCE_LENGTH, 'a PCP nonce has 12 bytes');
  const bytes = new Uint8Array(MAP_LENGTH);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = MAP;
  view.setUint32(4, request.lifetimeS);
  bytes.set(mappedAddress(request.clientAddress), 8);
  bytes.set(request.nonce, HEADER_LENGTH);
  bytes[36] = UDP;
  view.setUint16(40, request.internalPort);
  view.setUint16(42, request.suggestedPort);
  // §11.1: no preference is the all-zeros address of the family.
  const any = (ipFamily(request.clientAddress) === 4 ? '0.0.0.0' : '::') as IpAddress;
  bytes.set(mappedAddress(request.suggestedAddress ?? any), 44);
  return bytes;
}

/** 60 bytes, new: what a server says; for tests and simulated gateways. */
export function encodePcpMapResponse(response: PcpMapResponse): Uint8Array {
  const bytes = new Uint8Array(MAP_LENGTH);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = MAP | RESPONSE;
  bytes[3] = response.result;
  view.setUint32(4, response.lifetimeS);
  view.setUint32(8, response.epochS);
  bytes.set(response.nonce, HEADER_LENGTH);
  bytes[36] = UDP;
  view.setUint16(40, response.internalPort);
  view.setUint16(42, response.externalPort);
  bytes.set(mappedAddress(response.externalAddress), 44);
  return bytes;
}

/** @returns undefined for anything that is no response to a MAP request for UDP. Options behind it are ignored. */
export function decodePcpMapResponse(bytes: Uint8Array): PcpMapResponse | undefined {
  if (bytes.length < MAP_LENGTH || bytes.length > MAX_LENGTH || bytes.length % 4 !== 0) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== (MAP | RESPONSE) || bytes[36] !== UDP) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    result: bytes[3]!,
    lifetimeS: view.getUint32(4),
    epochS: view.getUint32(8),
    nonce: bytes.slice(HEADER_LENGTH, HEADER_LENGTH + PCP_NONCE_LENGTH),
    internalPort: view.getUint16(40),
    externalPort: view.getUint16(42),
    externalAddress: unmappedAddress(bytes.subarray(44, 60)),
  };
}

/** The fields of a MAP request for UDP; for tests and simulated gateways. @returns undefined when it is none. */
export function decodePcpMapRequest(bytes: Uint8Array): PcpMapRequest | undefined {
  if (bytes.length < MAP_LENGTH || bytes.length > MAX_LENGTH || bytes.length % 4 !== 0) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== MAP || bytes[36] !== UDP) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const suggested = unmappedAddress(bytes.subarray(44, 60));
  return {
    clientAddress: unmappedAddress(bytes.subarray(8, 24)),
    nonce: bytes.slice(HEADER_LENGTH, HEADER_LENGTH + PCP_NONCE_LENGTH),
    internalPort: view.getUint16(40),
    suggestedPort: view.getUint16(42),
    suggestedAddress: suggested === '0.0.0.0' || suggested === '::' ? undefined : suggested,
    lifetimeS: view.getUint32(4),
  };
}

/** RFC 6887 §5: IPv4 addresses travel as IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2). */
function mappedAddress(address: IpAddress): Uint8Array {
  const bytes = ipToBytes(address);
  if (bytes.length === 16) return bytes;
  const mapped = new Uint8Array(16);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
}

function unmappedAddress(bytes: Uint8Array): IpAddress {
  const isMapped = bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  return ipFromBytes(isMapped ? bytes.slice(12) : bytes.slice());
}
