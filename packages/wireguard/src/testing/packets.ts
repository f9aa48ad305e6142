import { type IpAddress, ipToBytes } from '@warren/base';

/** A plausible UDP/IPv4 or IPv6 packet of `length` bytes in all; the payload counts up from `seed`. */
export function ipPacket(source: IpAddress, destination: IpAddress, length = 100, seed = 0): Uint8Array {
  const packet = new Uint8Array(length).map((_, i) => (i + seed) & 0xff);
  const v4 = !source.includes(':');
  packet[0] = v4 ? 0x45 : 0x60;
  const announced = v4 ? length : length - 40;
  packet.set([announced >> 8, announced & 0xff], v4 ? 2 : 4);
  packet.set(ipToBytes(source), v4 ? 12 : 8);
  packet.set(ipToBytes(destination), v4 ? 16 : 24);
  return packet;
}
