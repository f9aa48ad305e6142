import { WarrenError } from '@warren/base';
import { ERRNO, errnoName, loadLibc, type PacketMemory } from '@warren/udp';

const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

// linux/if_tun.h
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** Fail when the device exists, also when it is one that we could attach to. */
const IFF_TUN_EXCL = 0x8000;

const IFNAMSIZ = 16;
const IFREQ_LENGTH = 40;

/** A TUN interface: IP packets without any header, one a call, non-blocking. It exists as long as it is open. */
export interface Tun {
  readonly fd: number;
  /** Reads one packet into packet memory at `offset`. @returns its length, or the negative error number (−EAGAIN: none waits). */
  read(offset: number, room: number): number;
  /** Writes one packet. @returns 0, or the error number (EIO: link down; EINVAL: the kernel does not take it). */
  write(offset: number, length: number): number;
  close(): void;
}

/**
 * Creates the interface; it is down and has no address yet.
 * @param adopt the descriptor of one that exists, whose thread died: nothing is created then.
 * @throws WarrenError `not-root`, `no-tun`, `interface-taken`, `bad-interface-name`; nothing stays open then.
 */
export function openTun(name: string, memory: PacketMemory, adopt?: number): Tun {
  const libc = loadLibc();
  const fd = adopt ?? createTun(name, memory, 0);
  let open = true;
  return {
    fd,
    read(offset, room): number {
      const length = libc.read(fd, memory.base + offset, room);
      return length >= 0 ? length : -libc.errno();
    },
    write: (offset, length): number => (libc.write(fd, memory.base + offset, length) >= 0 ? 0 : libc.errno()),
    close(): void {
      if (open) libc.close(fd);
      open = false;
    },
  };
}

/** Creates the interface with further flags of `TUNSETIFF`; the descriptor is the caller's to close. */
export function createTun(name: string, memory: PacketMemory, flags: number): number {
  const libc = loadLibc();
  const fd = libc.open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) throw openError(libc.errno());
  const ifreq = memory.allocate(IFREQ_LENGTH);
  memory.bytes.fill(0, ifreq, ifreq + IFREQ_LENGTH);
  memory.bytes.set(Buffer.from(name, 'utf8').subarray(0, IFNAMSIZ - 1), ifreq);
  memory.view.setUint16(ifreq + IFNAMSIZ, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL | flags, true);
  if (libc.ioctl(fd, TUNSETIFF, memory.base + ifreq) < 0) {
    const errno = libc.errno();
    libc.close(fd);
    throw createError(errno, name, libc.ifNameToIndex(name) !== 0);
  }
  return fd;
}

/** Whether an error of a read, write or poll says that the interface was deleted. */
export const isTunGone = (errno: number): boolean => errno === ERRNO.EBADFD || errno === ERRNO.EBADF;

function openError(errno: number): WarrenError {
  if (errno === ERRNO.EACCES || errno === ERRNO.EPERM) return notRoot('open /dev/net/tun');
  if (errno === ERRNO.ENOENT || errno === ERRNO.ENODEV) {
    return new WarrenError(
      'no-tun',
      '/dev/net/tun is missing: run `modprobe tun` (in a container: pass the device, `--device /dev/net/tun`)',
    );
  }
  return new WarrenError('no-tun', `cannot open /dev/net/tun (${errnoName(errno)})`);
}

function createError(errno: number, name: string, exists: boolean): WarrenError {
  if (errno === ERRNO.EPERM) return notRoot(`create the interface ${name}`);
  if (exists || errno === ERRNO.EBUSY) {
    return new WarrenError(
      'interface-taken',
      `the interface ${name} exists already: choose another name, or remove it with \`ip link delete ${name}\``,
    );
  }
  if (errno === ERRNO.EINVAL) {
    return new WarrenError('bad-interface-name', `the kernel refuses ${name} as a name for an interface`);
  }
  return new WarrenError('no-tun', `cannot create the interface ${name} (${errnoName(errno)})`);
}

const notRoot = (what: string): WarrenError =>
  new WarrenError('not-root', `no permission to ${what}: run as root (or with the capability CAP_NET_ADMIN)`);
