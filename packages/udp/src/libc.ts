import os from 'node:os';
import { WarrenError } from '@warren/base';
import koffi from 'koffi';

/** Machines whose kernel has the generic numbers of ioctls and socket options and 64-bit structures. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/**
 * The system calls that data plane and sockets need, straight from libc. Pointers are plain numbers (addresses in a
 * `PacketMemory`): that is the cheapest way through the FFI. A negative result means: ask `errno()` at once.
 */
export interface Libc {
  readonly open: (path: string, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly read: (fd: number, address: number, length: number) => number;
  readonly write: (fd: number, address: number, length: number) => number;
  /** `iovecs` structures of 16 bytes at `address`. */
  readonly writev: (fd: number, address: number, iovecs: number) => number;
  readonly ioctl: (fd: number, request: number, address: number) => number;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: number, length: number) => number;
  readonly getsockname: (fd: number, address: number, lengthAddress: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, address: number, length: number) => number;
  readonly sendmsg: (fd: number, messageAddress: number, flags: number) => number;
  readonly recvmsg: (fd: number, messageAddress: number, flags: number) => number;
  /** 0: no interface of that name in this network namespace. */
  readonly ifNameToIndex: (name: string) => number;
  /** Writes a timespec to `to`. */
  readonly clockGetTime: (clock: number, to: Uint8Array) => number;
  /** Error number of the last failed call of this thread. */
  readonly errno: () => number;
}

let loaded: Libc | undefined;

/**
 * Loads libc once per thread.
 * @throws WarrenError `unsupported-host` on anything but 64-bit little-endian Linux.
 */
export function loadLibc(): Libc {
  loaded ??= bindLibc();
  return loaded;
}

/** @returns why packets cannot be handled on such a host, or undefined when they can. */
export function unsupportedHost(platform: string, architecture: string, endianness: string): string | undefined {
  if (platform !== 'linux') {
    return `the data plane needs Linux, and this host runs ${platform}: let it join as a vanilla WireGuard member instead`;
  }
  if (endianness !== 'LE') {
    return 'the data plane needs a little-endian machine, and this one is big-endian: let it join as a vanilla WireGuard member instead';
  }
  if (!ARCHITECTURES.includes(architecture)) {
    return `the data plane does not know the machine type ${architecture} (it knows ${ARCHITECTURES.join(', ')}): let it join as a vanilla WireGuard member instead`;
  }
  return undefined;
}

function bindLibc(): Libc {
  const problem = unsupportedHost(process.platform, process.arch, os.endianness());
  if (problem !== undefined) throw new WarrenError('unsupported-host', problem);
  const library = koffi.load(null);
  const bind = <T>(name: string, result: string, parameters: string[]): T =>
    library.func(name, result, parameters) as unknown as T;
  return {
    open: bind('open', 'int', ['str', 'int']),
    close: bind('close', 'int', ['int']),
    read: bind('read', 'long', ['int', 'size_t', 'size_t']),
    write: bind('write', 'long', ['int', 'size_t', 'size_t']),
    writev: bind('writev', 'long', ['int', 'size_t', 'int']),
    ioctl: bind('ioctl', 'int', ['int', 'ulong', 'size_t']),
    socket: bind('socket', 'int', ['int', 'int', 'int']),
    bind: bind('bind', 'int', ['int', 'size_t', 'uint']),
    getsockname: bind('getsockname', 'int', ['int', 'size_t', 'size_t']),
    setsockopt: bind('setsockopt', 'int', ['int', 'int', 'int', 'size_t', 'uint']),
    sendmsg: bind('sendmsg', 'long', ['int', 'size_t', 'int']),
    recvmsg: bind('recvmsg', 'long', ['int', 'size_t', 'int']),
    ifNameToIndex: bind('if_nametoindex', 'uint', ['str']),
    clockGetTime: bind('clock_gettime', 'int', ['int', 'void *']),
    errno: () => koffi.errno(),
  };
}

// linux/time.h
const CLOCK_BOOTTIME = 7;
const timespec = new Uint8Array(16);

/** Milliseconds since this host was started, time in which it was suspended included. */
export function bootTime(): number {
  loadLibc().clockGetTime(CLOCK_BOOTTIME, timespec);
  const view = new DataView(timespec.buffer);
  return view.getUint32(0, true) * 1_000 + view.getUint32(8, true) / 1_000_000;
}

/** Error numbers of this system; `EBADFD` is not in Node's table. */
export const ERRNO = {
  EPERM: os.constants.errno.EPERM,
  ENOENT: os.constants.errno.ENOENT,
  EINTR: os.constants.errno.EINTR,
  EBADF: os.constants.errno.EBADF,
  EAGAIN: os.constants.errno.EAGAIN,
  EACCES: os.constants.errno.EACCES,
  EBUSY: os.constants.errno.EBUSY,
  ENODEV: os.constants.errno.ENODEV,
  EINVAL: os.constants.errno.EINVAL,
  EBADFD: 77,
  EIO: os.constants.errno.EIO,
  EMSGSIZE: os.constants.errno.EMSGSIZE,
  EAFNOSUPPORT: os.constants.errno.EAFNOSUPPORT,
  ENETUNREACH: os.constants.errno.ENETUNREACH,
  EADDRINUSE: os.constants.errno.EADDRINUSE,
  EADDRNOTAVAIL: os.constants.errno.EADDRNOTAVAIL,
  ENOBUFS: os.constants.errno.ENOBUFS,
} as const;

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(os.constants.errno).map(([name, value]) => [value, name] as const),
  [ERRNO.EAGAIN, 'EAGAIN'], // shares its number with EWOULDBLOCK
  [ERRNO.EBADFD, 'EBADFD'],
]);

/** `ECONNREFUSED` for 111; `errno 4711` for what has no name. */
export const errnoName = (errno: number): string => ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
