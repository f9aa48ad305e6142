import { loadLibc, type PacketMemory, watchReadable } from '@warren/udp';

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCKADDR_NL_LENGTH = 12;
// linux/rtnetlink.h
const RTMGRP_LINK = 1;
const RTM_NEWLINK = 16;
const NLMSG_HEADER = 16;
const IFINFO_LENGTH = 16;
const IFF_UP = 1;
/** The kernel puts at most that much into one datagram (netlink(7)). */
const BUFFER = 32_768;

export interface LinkWatch {
  readonly fd: number;
  close(): void;
}

/**
 * Calls `onReturn` whenever the interface is up again after it was taken down: the kernel has then forgotten its routes
 * and IPv6 addresses. Its first coming up is no return.
 * @returns undefined when this host permits no netlink socket.
 */
export function watchLink(name: string, memory: PacketMemory, onReturn: () => void): LinkWatch | undefined {
  const libc = loadLibc();
  const index = libc.ifNameToIndex(name);
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return undefined;
  const address = memory.allocate(SOCKADDR_NL_LENGTH);
  memory.view.setUint16(address, AF_NETLINK, true);
  memory.view.setUint32(address + 8, RTMGRP_LINK, true);
  if (index === 0 || libc.bind(fd, memory.base + address, SOCKADDR_NL_LENGTH) < 0) {
    libc.close(fd);
    return undefined;
  }
  const buffer = memory.allocate(BUFFER);
  const returned = linkReturns(index);
  const read = (): void => {
    for (;;) {
      const length = libc.read(fd, memory.base + buffer, BUFFER);
      if (length <= 0) return;
      if (returned(memory.view, buffer, length)) onReturn();
    }
  };
  // ENOBUFS, when messages were lost, is taken by the next read; what was lost is made up for by the next message.
  const readiness = watchReadable(fd, read, () => {
    read();
    return 'continue';
  });
  return {
    fd,
    close(): void {
      readiness.close();
      libc.close(fd);
    },
  };
}

/** Tells of each batch of netlink messages whether it says that the link is up after it had been down. */
export function linkReturns(index: number): (view: DataView, offset: number, length: number) => boolean {
  let state: 'new' | 'up' | 'down' = 'new';
  return (view, offset, length) => {
    let returned = false;
    for (let at = offset; at + NLMSG_HEADER <= offset + length; ) {
      const size = view.getUint32(at, true);
      if (size < NLMSG_HEADER || at + size > offset + length) break;
      if (isLinkMessage(view, at, size, index)) {
        const up = (view.getUint32(at + NLMSG_HEADER + 8, true) & IFF_UP) !== 0;
        if (up && state === 'down') returned = true;
        if (up) state = 'up';
        else if (state === 'up') state = 'down';
      }
      at += (size + 3) & ~3;
    }
    return returned;
  };
}

const isLinkMessage = (view: DataView, at: number, size: number, index: number): boolean =>
  size >= NLMSG_HEADER + IFINFO_LENGTH &&
  view.getUint16(at + 4, true) === RTM_NEWLINK &&
  view.getInt32(at + NLMSG_HEADER + 4, true) === index;
