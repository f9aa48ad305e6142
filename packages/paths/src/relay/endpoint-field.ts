import { type Endpoint, formatEndpoint, type IpAddress, ipFromBytes, ipToBytes } from '@warren/base';

/** Family, port and sixteen bytes of IPv6. */
export const MAX_ENDPOINT_FIELD_LENGTH = 19;
const HEAD_LENGTH = 3;

/** Family (4 or 6), port (16 bits), address (4 or 16 bytes); for no endpoint the family 0 alone. A new array. */
export function encodeEndpointField(
  endpoint: { readonly address: IpAddress; readonly port: number } | undefined,
): Uint8Array<ArrayBuffer> {
  if (!endpoint) return new Uint8Array(1);
  const address = ipToBytes(endpoint.address);
  const field = new Uint8Array(HEAD_LENGTH + address.length);
  field[0] = address.length === 4 ? 4 : 6;
  field[1] = endpoint.port >> 8;
  field[2] = endpoint.port & 0xff;
  field.set(address, HEAD_LENGTH);
  return field;
}

/**
 * The endpoint at `at`, undefined in it for family 0, and where the field ends.
 * @returns undefined for another family, port 0, or when the field is cut off.
 */
export function decodeEndpointField(
  bytes: Uint8Array,
  at: number,
): { readonly endpoint: Endpoint | undefined; readonly end: number } | undefined {
  const family = bytes[at];
  if (family === 0) return { endpoint: undefined, end: at + 1 };
  if (family !== 4 && family !== 6) return undefined;
  const end = at + HEAD_LENGTH + (family === 4 ? 4 : 16);
  if (end > bytes.length) return undefined;
  const port = (bytes[at + 1]! << 8) | bytes[at + 2]!;
  if (port === 0) return undefined;
  return { endpoint: formatEndpoint(ipFromBytes(bytes.subarray(at + HEAD_LENGTH, end)), port), end };
}
