import { type IpAddress, invariant, ipFromBytes, ipToBytes } from '@warren/base';

const VERSION = 0;
const EXTERNAL_ADDRESS = 0;
const MAP_UDP = 1;
const RESPONSE = 128;

/** RFC 6886 §3.3; with `lifetimeS` and `suggestedPort` 0 it ends the mapping (§3.4). */
export interface NatPmpMapRequest {
  readonly internalPort: number;
  /** 0: any. */
  readonly suggestedPort: number;
  readonly lifetimeS: number;
}

/** RFC 6886 §3.2 and §3.3. `result` 0 is success, and only then the rest counts. */
export type NatPmpResponse =
  | {
      readonly type: 'external-address';
      readonly result: number;
      readonly epochS: number;
      readonly externalAddress: IpAddress;
    }
  | {
      readonly type: 'mapped';
      readonly result: number;
      readonly epochS: number;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly lifetimeS: number;
    }
  /** Short of what a success has (RFC 6886 §3.5), and of whatever was asked. */
  | { readonly type: 'refused'; readonly opcode: number; readonly result: number; readonly epochS: number };

/** What servers say when they cannot, RFC 6886 §3.5. */
const RESULTS: Readonly<Record<number, string>> = {
  1: 'it speaks another version',
  2: 'it does not permit that',
  3: 'its own network fails',
  4: 'it has no resources left',
  5: 'it does not know mappings',
};

/** A few words for a result that is not 0. */
export const describeNatPmpResult = (result: number): string => RESULTS[result] ?? `it refused with code ${result}`;

/** 2 bytes, new: asks for the outer address. */
export const encodeNatPmpAddressRequest = (): Uint8Array => Uint8Array.of(VERSION, EXTERNAL_ADDRESS);

/** 12 bytes, new. */
export function encodeNatPmpMapRequest(request: NatPmpMapRequest): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = MAP_UDP;
  view.setUint16(4, request.internalPort);
  view.setUint16(6, request.suggestedPort);
  view.setUint32(8, request.lifetimeS);
  return bytes;
}

/** What a client asks; for tests and simulated gateways. @returns undefined when it is neither request. */
export function decodeNatPmpRequest(bytes: Uint8Array): 'external-address' | NatPmpMapRequest | undefined {
  if (bytes[0] !== VERSION) return undefined;
  if (bytes.length === 2 && bytes[1] === EXTERNAL_ADDRESS) return 'external-address';
  if (bytes.length !== 12 || bytes[1] !== MAP_UDP) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { internalPort: view.getUint16(4), suggestedPort: view.getUint16(6), lifetimeS: view.getUint32(8) };
}

/** 8, 12 or 16 bytes, new: what a server says; for tests and simulated gateways. */
export function encodeNatPmpResponse(response: NatPmpResponse): Uint8Array {
  const length = response.type === 'refused' ? 8 : response.type === 'mapped' ? 16 : 12;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  view.setUint16(2, response.result);
  view.setUint32(4, response.epochS);
  if (response.type === 'refused') {
    bytes[1] = RESPONSE + response.opcode;
  } else if (response.type === 'mapped') {
    bytes[1] = RESPONSE + MAP_UDP;
    view.setUint16(8, response.internalPort);
    view.setUint16(10, response.externalPort);
    view.setUint32(12, response.lifetimeS);
  } else {
    const address = ipToBytes(response.externalAddress);
    invariant(address.length === 4, 'NAT-PMP knows IPv4 only');
    bytes[1] = RESPONSE + EXTERNAL_ADDRESS;
    bytes.set(address, 8);
  }
  return bytes;
}

/** @returns undefined for anything that no NAT-PMP server sends in answer to these two requests. */
export function decodeNatPmpResponse(bytes: Uint8Array): NatPmpResponse | undefined {
  if (bytes.length < 8 || bytes.length > 16 || bytes[0] !== VERSION || bytes[1]! < RESPONSE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opcode = bytes[1]! - RESPONSE;
  const result = view.getUint16(2);
  const epochS = view.getUint32(4);
  if (opcode === EXTERNAL_ADDRESS && bytes.length === 12) {
    return { type: 'external-address', result, epochS, externalAddress: ipFromBytes(bytes.slice(8, 12)) };
  }
  if (opcode === MAP_UDP && bytes.length === 16) {
    const [internalPort, externalPort] = [view.getUint16(8), view.getUint16(10)];
    return { type: 'mapped', result, epochS, internalPort, externalPort, lifetimeS: view.getUint32(12) };
  }
  return bytes.length === 8 && result !== 0 ? { type: 'refused', opcode, result, epochS } : undefined;
}
