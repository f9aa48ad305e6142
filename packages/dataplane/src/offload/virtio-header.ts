/** `struct virtio_net_hdr` (linux/virtio_net.h) precedes each packet of a TUN opened with IFF_VNET_HDR; little-endian fields. */
export const VIRTIO_HEADER_LENGTH = 10;

/** Offsets in the header. */
const FLAGS = 0;
const GSO_TYPE = 1;
const HEADER_LENGTH = 2;
const GSO_SIZE = 4;
const CHECKSUM_START = 6;
const CHECKSUM_OFFSET = 8;

/** The transport checksum holds only the pseudo-header's sum: whoever is next completes it. */
export const NEEDS_CHECKSUM = 1;

export const GSO = Object.freeze({ none: 0, tcp4: 1, tcp6: 4, udp: 5 });
/** Set beside the type when the first segment has CWR; we never offer TSO_ECN, so the kernel segments those itself. */
const GSO_ECN = 0x80;

export const flagsOf = (view: DataView, at: number): number => view.getUint8(at + FLAGS);
export const gsoTypeOf = (view: DataView, at: number): number => view.getUint8(at + GSO_TYPE) & ~GSO_ECN;
export const gsoSizeOf = (view: DataView, at: number): number => view.getUint16(at + GSO_SIZE, true);
export const checksumStartOf = (view: DataView, at: number): number => view.getUint16(at + CHECKSUM_START, true);
export const checksumOffsetOf = (view: DataView, at: number): number => view.getUint16(at + CHECKSUM_OFFSET, true);

/** For a packet that is complete as it is. */
export function writePlainHeader(view: DataView, at: number): void {
  view.setUint32(at, 0, true);
  view.setUint32(at + 4, 0, true);
  view.setUint16(at + 8, 0, true);
}

/** For a packet that the kernel segments: `headerLength` bytes of headers, then pieces of `gsoSize`. */
export function writeGsoHeader(
  view: DataView,
  at: number,
  gsoType: number,
  headerLength: number,
  gsoSize: number,
  checksumStart: number,
  checksumOffset: number,
): void {
  view.setUint8(at + FLAGS, NEEDS_CHECKSUM);
  view.setUint8(at + GSO_TYPE, gsoType);
  view.setUint16(at + HEADER_LENGTH, headerLength, true);
  view.setUint16(at + GSO_SIZE, gsoSize, true);
  view.setUint16(at + CHECKSUM_START, checksumStart, true);
  view.setUint16(at + CHECKSUM_OFFSET, checksumOffset, true);
}
