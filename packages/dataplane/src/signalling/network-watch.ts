import { loadLibc, type PacketMemory, watchReadable } from '@warren/udp';

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCKADDR_NL_LENGTH = 12;
// linux/rtnetlink.h: links, addresses and routes of both families.
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const NLMSG_HEADER = 16;
const IFINFO_LENGTH = 16;
const IFADDR_LENGTH = 8;
const RTMSG_LENGTH = 12;
const RTM_F_CLONED = 0x200;
const RTA_OIF = 4;
/** Link flags that say whether anything can be sent: up, running, lower layer up (linux/if.h). */
const LINK_STATE = 0x1 | 0x40 | 0x1_0000;
const IFA_ADDRESS = 1;
/** Duplicate address detection goes on: the address cannot be used yet. */
const IFA_F_TENTATIVE = 0x40;
/** The kernel puts at most that much into one datagram (netlink(7)). */
const BUFFER = 32_768;

/** Changes come in swarms: this long after the first one all are told as one, milliseconds. */
const SETTLE = 50;
/** How often it is asked whether the host slept. */
const SLEEP_CHECK = 2_000;
const LEAST_SLEEP = 1_000;
/** Links and addresses remembered, beyond which everything counts as a change. */
const MAX_REMEMBERED = 4_096;

export interface NetworkWatchOptions {
  /** Its own changes do not count. */
  readonly interfaceName: string;
  readonly memory: PacketMemory;
  readonly onChange: (what: 'network' | 'wake-up') => void;
  /** Milliseconds: one that counts the time asleep, and one that does not. */
  readonly clocks: { readonly boot: () => number; readonly monotonic: () => number };
}

export interface NetworkWatch {
  /** undefined when this host permits no netlink socket: then only waking up is noticed. */
  readonly fd: number | undefined;
  close(): void;
}

/** Calls `onChange` soon after links, addresses or routes of this host changed (rtnetlink(7)), and after it slept. */
export function watchNetwork(options: NetworkWatchOptions): NetworkWatch {
  let settling: NodeJS.Timeout | undefined;
  const changed = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      options.onChange('network');
    }, SETTLE);
  };
  const netlink = watchRoutes(options, changed);
  const asleep = sleepMeter(options.clocks);
  const check = setInterval(() => {
    if (asleep()) options.onChange('wake-up');
  }, SLEEP_CHECK);
  check.unref();
  return {
    fd: netlink?.fd,
    close(): void {
      clearTimeout(settling);
      clearInterval(check);
      netlink?.close();
    },
  };
}

/** Says whether the host slept since it was asked last. */
export function sleepMeter({ boot, monotonic }: NetworkWatchOptions['clocks']): () => boolean {
  let ahead = boot() - monotonic();
  return () => {
    const before = ahead;
    ahead = boot() - monotonic();
    return ahead - before > LEAST_SLEEP;
  };
}

function watchRoutes({ interfaceName, memory }: NetworkWatchOptions, onChange: () => void) {
  const libc = loadLibc();
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return undefined;
  const address = memory.allocate(SOCKADDR_NL_LENGTH);
  memory.bytes.fill(0, address, address + SOCKADDR_NL_LENGTH);
  memory.view.setUint16(address, AF_NETLINK, true);
  memory.view.setUint32(address + 8, GROUPS, true);
  if (libc.bind(fd, memory.base + address, SOCKADDR_NL_LENGTH) < 0) {
    libc.close(fd);
    return undefined;
  }
  const buffer = memory.allocate(BUFFER);
  const matters = networkChanges(libc.ifNameToIndex(interfaceName));
  const read = (): void => {
    for (;;) {
      const length = libc.read(fd, memory.base + buffer, BUFFER);
      if (length <= 0) return;
      if (matters(memory.view, buffer, length)) onChange();
    }
  };
  const readiness = watchReadable(fd, read, () => {
    // ENOBUFS: messages were lost, so something changed.
    onChange();
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

/**
 * Tells of each batch of netlink messages whether something changed that matters: not on our own interface, and not what
 * routers repeat (an address whose lifetime is renewed, a link that tells its statistics).
 */
export function networkChanges(own: number): (view: DataView, offset: number, length: number) => boolean {
  const links = new Map<number, number>();
  const addresses = new Set<string>();
  const judge = (view: DataView, at: number, size: number): boolean => {
    const type = view.getUint16(at + 4, true);
    const body = at + NLMSG_HEADER;
    if (type === RTM_NEWLINK || type === RTM_DELLINK) {
      if (size < NLMSG_HEADER + IFINFO_LENGTH) return false;
      const index = view.getInt32(body + 4, true);
      const state = type === RTM_DELLINK ? -1 : view.getUint32(body + 8, true) & LINK_STATE;
      if (index === own || links.get(index) === state) return false;
      if (links.size >= MAX_REMEMBERED) links.clear();
      if (type === RTM_DELLINK) links.delete(index);
      else links.set(index, state);
      return true;
    }
    if (type === RTM_NEWADDR || type === RTM_DELADDR) return judgeAddress(view, at, size, type, own, addresses);
    if (type !== RTM_NEWROUTE && type !== RTM_DELROUTE) return false;
    if (size < NLMSG_HEADER + RTMSG_LENGTH || (view.getUint32(body + 8, true) & RTM_F_CLONED) !== 0) return false;
    const out = attribute(view, body + RTMSG_LENGTH, at + size, RTA_OIF);
    return out === undefined || out.length < 4 || view.getInt32(out.at, true) !== own;
  };
  return (view, offset, length) => {
    let changed = false;
    for (let at = offset; at + NLMSG_HEADER <= offset + length; ) {
      const size = view.getUint32(at, true);
      if (size < NLMSG_HEADER || at + size > offset + length) break;
      if (judge(view, at, size)) changed = true;
      at += (size + 3) & ~3;
    }
    return changed;
  };
}

function judgeAddress(
  view: DataView,
  at: number,
  size: number,
  type: number,
  own: number,
  known: Set<string>,
): boolean {
  const body = at + NLMSG_HEADER;
  if (size < NLMSG_HEADER + IFADDR_LENGTH) return false;
  const index = view.getUint32(body + 4, true);
  const address = attribute(view, body + IFADDR_LENGTH, at + size, IFA_ADDRESS);
  if (index === own || !address) return false;
  const key = `${index} ${Buffer.from(view.buffer, view.byteOffset + address.at, address.length).toString('hex')}`;
  if (type === RTM_DELADDR) {
    known.delete(key);
    return true;
  }
  // It is told again when it can be used.
  if ((view.getUint8(body + 2) & IFA_F_TENTATIVE) !== 0 || known.has(key)) return false;
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.add(key);
  return true;
}

/** Where the data of the first attribute of this type lies (struct rtattr: length, type, data, padded to 4). */
function attribute(
  view: DataView,
  from: number,
  end: number,
  wanted: number,
): { readonly at: number; readonly length: number } | undefined {
  for (let at = from; at + 4 <= end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return undefined;
    if (view.getUint16(at + 2, true) === wanted) return { at: at + 4, length: length - 4 };
    at += (length + 3) & ~3;
  }
  return undefined;
}
