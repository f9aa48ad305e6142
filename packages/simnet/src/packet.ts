import type { IpAddress } from '@warren/base';

/** Address and port of one end of a datagram. */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** A UDP datagram on its way. `payload` belongs to nobody: neither sender nor receiver may change it. */
export interface Packet {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
}

/** Why a packet did not arrive. */
export type DropReason =
  | 'lost'
  | 'link-down'
  | 'cut'
  | 'no-route'
  | 'no-socket'
  | 'gone'
  | 'udp-blocked'
  | 'filtered'
  | 'no-mapping'
  | 'no-hairpinning';
