import { loadLibc, type PacketMemory } from '@warren/udp';
import { createTun } from '../tun.js';

// linux/if_tun.h
const IFF_VNET_HDR = 0x4000;
const TUNSETOFFLOAD = 0x4004_54d0;
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_USO4 = 0x20;
const TUN_F_USO6 = 0x40;

const TCP_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

/** A TUN whose packets come behind a virtio header and may be super-packets of up to 64 KiB, both ways; non-blocking. */
export interface OffloadTun {
  readonly fd: number;
  /** Whether the kernel gives and takes UDP super-packets too (Linux 6.2). */
  readonly udp: boolean;
  /** Reads header and packet to `offset`. @returns their length, or the negative error number (−EAGAIN: none waits). */
  read(offset: number, room: number): number;
  /** Writes header and packet from `count` iovecs at `iovecs`. @returns 0, or the error number. */
  write(iovecs: number, count: number): number;
  close(): void;
}

/**
 * Creates the interface as `openTun` does, with the offloads that the kernel has.
 * @param adopt the descriptor of one that `openOffloadTun` made and whose thread died.
 * @returns undefined, with nothing left open, when it has none: before Linux 2.6.27, or in a sandbox.
 * @throws WarrenError as `openTun`.
 */
export function openOffloadTun(name: string, memory: PacketMemory, adopt?: number): OffloadTun | undefined {
  const libc = loadLibc();
  const fd = adopt ?? createTun(name, memory, IFF_VNET_HDR);
  const offers = (flags: number): boolean => libc.ioctl(fd, TUNSETOFFLOAD, flags) >= 0;
  const udp = offers(TCP_OFFLOADS | TUN_F_USO4 | TUN_F_USO6);
  if (!udp && !offers(TCP_OFFLOADS)) {
    libc.close(fd);
    return undefined;
  }
  let open = true;
  return {
    fd,
    udp,
    read(offset, room): number {
      const length = libc.read(fd, memory.base + offset, room);
      return length >= 0 ? length : -libc.errno();
    },
    write: (iovecs, count): number => (libc.writev(fd, memory.base + iovecs, count) >= 0 ? 0 : libc.errno()),
    close(): void {
      if (open) libc.close(fd);
      open = false;
    },
  };
}
