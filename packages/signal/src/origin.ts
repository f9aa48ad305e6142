import { type Endpoint, parseEndpoint, WarrenError } from '@warren/base';
import { encodeSocketAddress, socketAddressEndpoint } from '@warren/udp';

/** Where a frame came from, and where answers go. */
export type Origin =
  | {
      readonly kind: 'udp';
      /** The sender as the kernel has it, 28 bytes. */
      readonly address: Uint8Array;
      /** The address of ours that it was sent to, from which answers have to come. */
      readonly local: Uint8Array | undefined;
    }
  | {
      readonly kind: 'stream';
      readonly stream: number;
      /** The other end of the connection, 28 bytes. */
      readonly address: Uint8Array;
    };

/** A copy that outlives the socket's memory. */
export function keepOrigin(origin: Origin): Origin {
  if (origin.kind === 'stream') return origin;
  return { kind: 'udp', address: origin.address.slice(), local: origin.local?.slice() };
}

/** Whether two frames came from the same agent, as far as the network shows. */
export function isSameOrigin(a: Origin, b: Origin): boolean {
  if (a.kind === 'stream' || b.kind === 'stream') {
    return a.kind === 'stream' && b.kind === 'stream' && a.stream === b.stream;
  }
  return a.address.every((byte, i) => byte === b.address[i]);
}

export const originEndpoint = (origin: Origin): Endpoint => socketAddressEndpoint(origin.address);

/** @throws WarrenError `bad-address` for text that is no endpoint. */
export function endpointBytes(endpoint: Endpoint): Uint8Array {
  const parsed = parseEndpoint(endpoint);
  if (!parsed) throw new WarrenError('bad-address', `${endpoint} is no address with a port`);
  return encodeSocketAddress(parsed.address, parsed.port);
}
