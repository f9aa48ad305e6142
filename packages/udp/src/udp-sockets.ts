import { type IpAddress, type IpFamily, ipFamily, WarrenError } from '@warren/base';
import { ERRNO, errnoName, type Libc, loadLibc } from './libc.js';
import {
  IP_PKTINFO,
  IP_RECVTOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
} from './message-header.js';
import { enableOffload, OffloadUdpSocket } from './offload-udp-socket.js';
import type { PacketMemory } from './packet-memory.js';
import {
  AF_INET,
  AF_INET6,
  encodeSocketAddress,
  SOCKET_ADDRESS_LENGTH,
  socketAddressLength,
} from './socket-address.js';
import { PlainUdpSocket, type UdpSocket } from './udp-socket.js';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_MARK = 36;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPV6_V6ONLY = 26;
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DONT = 0;

/** Bytes of socket buffer asked for, as wireguard-go does: bursts wait in the kernel instead of being lost. */
const SOCKET_BUFFER = 7 << 20;
/** Attempts to find a port that is free for both families. */
const MAX_PORT_ATTEMPTS = 32;

export interface UdpSocketsOptions {
  /** 0: any port that is free for IPv4 and IPv6. */
  readonly port: number;
  /** The only address to listen on. Absent: all of both families; `0.0.0.0`: all of IPv4. */
  readonly address?: IpAddress;
  /** The packet memory that the sockets take their buffers from (about 256 KiB). */
  readonly memory: PacketMemory;
  /**
   * `offload`: UDP_SEGMENT and UDP_GRO, for sockets whose kernel has them; the others are plain, and say so.
   * Absent: `plain`, one datagram a system call.
   */
  readonly path?: 'plain' | 'offload';
  /** Sockets of a former `openUdpSockets` of this process to go on with, instead of opening new ones. */
  readonly adopt?: AdoptedSockets;
}

/** What remains of sockets whose thread died: descriptors belong to the process. */
export interface AdoptedSockets {
  readonly port: number;
  readonly mark: number;
  readonly v4: number | undefined;
  readonly v6: number | undefined;
}

/** One port on both families. */
export interface UdpSockets {
  /** The port really bound; changes with `rebind`. */
  readonly port: number;
  /** Mark of all outgoing datagrams (SO_MARK); 0: none. */
  readonly mark: number;
  readonly v4: UdpSocket | undefined;
  /** undefined on a host without IPv6. */
  readonly v6: UdpSocket | undefined;
  /**
   * Moves to another port (0: any). The sockets get new descriptors, so that watches of the former have to be closed before.
   * @throws WarrenError as `openUdpSockets`; the former port stays then.
   */
  rebind(port: number): void;
  /** @throws WarrenError `not-permitted`; the former mark stays then. */
  setMark(mark: number): void;
  close(): void;
}

/**
 * Opens an IPv4 and an IPv6 socket on the same port, on all addresses; a host without one family gets the other. With an
 * `address`, the socket of that family alone.
 * @throws WarrenError `port-in-use`, `port-not-allowed`, `address-not-here`, `socket-failed`; nothing stays open then.
 */
export function openUdpSockets(options: UdpSocketsOptions): UdpSockets {
  const libc = loadLibc();
  const { memory } = options;
  const scratch = memory.allocate(SOCKET_ADDRESS_LENGTH + 4);
  let opened: Bound = options.adopt ?? bindBoth(libc, memory, scratch, options.port, 0, options.address);
  let mark = options.adopt?.mark ?? 0;
  const socketOf = (family: IpFamily): OffloadUdpSocket | PlainUdpSocket | undefined => {
    const fd = family === 4 ? opened.v4 : opened.v6;
    if (fd === undefined) return undefined;
    const offload = options.path === 'offload' && enableOffload(libc, memory, scratch, fd);
    return new (offload ? OffloadUdpSocket : PlainUdpSocket)(fd, family, libc, memory);
  };
  const v4 = socketOf(4);
  const v6 = socketOf(6);
  let open = true;
  return {
    get port(): number {
      return opened.port;
    },
    get mark(): number {
      return mark;
    },
    v4,
    v6,
    rebind(port): void {
      const former = opened;
      opened = bindBoth(libc, memory, scratch, port, mark, options.address);
      if (v4) v4.fd = opened.v4!;
      if (v6) v6.fd = opened.v6!;
      for (const socket of [v4, v6]) {
        if (socket?.path === 'offload') enableOffload(libc, memory, scratch, socket.fd);
      }
      closeAll(libc, former);
    },
    setMark(wanted): void {
      if (wanted === mark) return;
      for (const socket of [v4, v6]) if (socket) setSocketMark(libc, memory, scratch, socket.fd, wanted);
      mark = wanted;
    },
    close(): void {
      if (open) closeAll(libc, opened);
      open = false;
    },
  };
}

interface Bound {
  readonly port: number;
  readonly v4: number | undefined;
  readonly v6: number | undefined;
}

/** @param scratch offset of room for a socket address and a 32-bit number. */
function bindBoth(
  libc: Libc,
  memory: PacketMemory,
  scratch: number,
  port: number,
  mark: number,
  address: IpAddress | undefined,
): Bound {
  const only = address === undefined ? undefined : ipFamily(address);
  const open = (family: IpFamily): number | undefined =>
    (only ?? family) === family ? openSocket(libc, memory, scratch, family) : undefined;
  for (let attempt = 1; ; attempt++) {
    const v4 = open(4);
    const v6 = open(6);
    try {
      if (v4 === undefined && v6 === undefined) throw noFamily(only);
      for (const fd of [v4, v6]) if (fd !== undefined && mark !== 0) setSocketMark(libc, memory, scratch, fd, mark);
      const to = (family: IpFamily): IpAddress => address ?? ((family === 4 ? '0.0.0.0' : '::') as IpAddress);
      const first = bindSocket(libc, memory, scratch, v4 ?? v6!, to(v4 === undefined ? 6 : 4), port);
      if (v4 !== undefined && v6 !== undefined) bindSocket(libc, memory, scratch, v6, to(6), first);
      return { port: first, v4, v6 };
    } catch (error) {
      closeAll(libc, { port, v4, v6 });
      // The port that the kernel chose for IPv4 can be taken on IPv6: choose again.
      if (port === 0 && attempt < MAX_PORT_ATTEMPTS && isPortInUse(error)) continue;
      throw error;
    }
  }
}

function noFamily(only: IpFamily | undefined): WarrenError {
  const problem = only === undefined ? 'this host has neither IPv4 nor IPv6' : `this host has no IPv${only}`;
  return new WarrenError('socket-failed', `${problem}: load it into the kernel`);
}

const isPortInUse = (error: unknown): boolean => error instanceof WarrenError && error.code === 'port-in-use';

function closeAll(libc: Libc, bound: Bound): void {
  if (bound.v4 !== undefined) libc.close(bound.v4);
  if (bound.v6 !== undefined) libc.close(bound.v6);
}

/** @returns undefined when the host does not have the family. @throws WarrenError `socket-failed`. */
export function openSocket(
  libc: Libc,
  memory: PacketMemory,
  scratch: number,
  family: IpFamily,
  buffer: number = SOCKET_BUFFER,
): number | undefined {
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const errno = libc.errno();
    if (errno === ERRNO.EAFNOSUPPORT) return undefined;
    throw new WarrenError('socket-failed', `cannot open an IPv${family} UDP socket (${errnoName(errno)})`);
  }
  const set = (level: number, option: number, value: number): boolean => {
    memory.view.setInt32(scratch, value, true);
    return libc.setsockopt(fd, level, option, memory.base + scratch, 4) === 0;
  };
  // Which address of ours a datagram was sent to: answers go out from it.
  if (family === 4) set(IPPROTO_IP, IP_PKTINFO, 1);
  else set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (family === 4) set(IPPROTO_IP, IP_RECVTOS, 1);
  else set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  // As Linux's WireGuard, unlike wireguard-go: a path that is narrower and silent about it fragments instead of losing.
  if (family === 4) set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  // Forcing needs CAP_NET_ADMIN; without it the host's limit (net.core.rmem_max) holds.
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, buffer)) set(SOL_SOCKET, SO_RCVBUF, buffer);
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, buffer)) set(SOL_SOCKET, SO_SNDBUF, buffer);
  if (family === 6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    const errno = libc.errno();
    libc.close(fd);
    throw new WarrenError('socket-failed', `cannot restrict a socket to IPv6 (${errnoName(errno)})`);
  }
  return fd;
}

/** @throws WarrenError `not-permitted`. */
export function setSocketMark(libc: Libc, memory: PacketMemory, scratch: number, fd: number, mark: number): void {
  memory.view.setUint32(scratch, mark, true);
  if (libc.setsockopt(fd, SOL_SOCKET, SO_MARK, memory.base + scratch, 4) === 0) return;
  throw new WarrenError(
    'not-permitted',
    `the mark ${mark} cannot be set on the UDP sockets (${errnoName(libc.errno())}): run as root (or with CAP_NET_ADMIN)`,
  );
}

/** @returns the port bound. @throws WarrenError as `openUdpSockets`. */
export function bindSocket(
  libc: Libc,
  memory: PacketMemory,
  scratch: number,
  fd: number,
  address: IpAddress,
  port: number,
): number {
  const { bytes, view, base } = memory;
  const name = encodeSocketAddress(address, port);
  bytes.set(name, scratch);
  if (libc.bind(fd, base + scratch, socketAddressLength(name)) < 0) throw bindError(libc.errno(), address, port);
  view.setUint32(scratch + SOCKET_ADDRESS_LENGTH, SOCKET_ADDRESS_LENGTH, true);
  if (libc.getsockname(fd, base + scratch, base + scratch + SOCKET_ADDRESS_LENGTH) < 0) {
    throw new WarrenError('socket-failed', `cannot learn the UDP port that was bound (${errnoName(libc.errno())})`);
  }
  return view.getUint16(scratch + 2, false);
}

function bindError(errno: number, address: IpAddress, port: number): WarrenError {
  const family = ipFamily(address);
  if (errno === ERRNO.EADDRINUSE) {
    return new WarrenError(
      'port-in-use',
      `UDP port ${port} is in use on IPv${family} by another program (see \`ss -lunp\`): stop it, or choose another port (0: any)`,
    );
  }
  if (errno === ERRNO.EACCES) {
    return new WarrenError('port-not-allowed', `UDP port ${port} may only be used by root: choose one above 1023`);
  }
  if (errno === ERRNO.EADDRNOTAVAIL) {
    return new WarrenError(
      'address-not-here',
      `${address} is no address of this host: name one that \`ip address\` lists`,
    );
  }
  return new WarrenError('socket-failed', `cannot use UDP port ${port} on ${address} (${errnoName(errno)})`);
}
