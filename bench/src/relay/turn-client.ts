import { type IpAddress, ipToBytes } from '@warren/base';

// As much of TURN (RFC 8656) as one allocation without credentials and one channel need.

/** Bytes before the datagram in ChannelData (RFC 8656 §12.4). */
export const CHANNEL_HEADER_LENGTH = 4;
const CHANNEL = 0x4000;
const COOKIE = [0x21, 0x12, 0xa4, 0x42];
const METHOD = { allocate: 0x0003, channelBind: 0x0009 } as const;
const SUCCESS = 0x0100;
const ATTRIBUTE = { channelNumber: 0x000c, xorPeerAddress: 0x0012, requestedTransport: 0x0019 } as const;
const UDP = 17;

export const allocateRequest = (): Uint8Array =>
  request(METHOD.allocate, attribute(ATTRIBUTE.requestedTransport, [UDP, 0, 0, 0]));

/** Binds the one channel to an IPv4 address. */
export function channelBindRequest(peer: { readonly address: IpAddress; readonly port: number }): Uint8Array {
  const address = ipToBytes(peer.address).map((byte, i) => byte ^ COOKIE[i]!);
  const port = [(peer.port >> 8) ^ COOKIE[0]!, (peer.port & 0xff) ^ COOKIE[1]!];
  return request(METHOD.channelBind, [
    ...attribute(ATTRIBUTE.channelNumber, [CHANNEL >> 8, CHANNEL & 0xff, 0, 0]),
    ...attribute(ATTRIBUTE.xorPeerAddress, [0, 1, ...port, ...address]),
  ]);
}

export const isSuccess = (answer: Uint8Array, asked: Uint8Array): boolean =>
  ((answer[0]! << 8) | answer[1]!) === ((asked[0]! << 8) | asked[1]! | SUCCESS);

export function writeChannelHeader(header: Uint8Array, length: number): void {
  header.set([CHANNEL >> 8, CHANNEL & 0xff, length >> 8, length & 0xff]);
}

const request = (method: number, attributes: readonly number[]): Uint8Array =>
  Uint8Array.of(
    0,
    method,
    attributes.length >> 8,
    attributes.length & 0xff,
    ...COOKIE,
    ...new Uint8Array(12).fill(method),
    ...attributes,
  );

const attribute = (type: number, value: readonly number[]): number[] => [
  type >> 8,
  type & 0xff,
  value.length >> 8,
  value.length & 0xff,
  ...value,
];
