import type { IpAddress } from '@warren/base';
import { afterEach, describe, expect, it } from 'vitest';
import { ERRNO, type Libc, loadLibc } from './libc.js';
import { enableOffload, OffloadUdpSocket } from './offload-udp-socket.js';
import { PacketMemory } from './packet-memory.js';
import { encodeSocketAddress } from './socket-address.js';
import { openUdpSockets, type UdpSockets } from './udp-sockets.js';

const open: UdpSockets[] = [];
afterEach(() => {
  for (const sockets of open.splice(0)) sockets.close();
});

/** A socket whose first `sendmsg` with a control message fails with `errno`; the others go to the kernel. */
function failing(errno: number, always = false) {
  const memory = new PacketMemory(8);
  const sockets = openUdpSockets({ port: 0, memory, path: 'offload' });
  open.push(sockets);
  const libc = loadLibc();
  let failed: number | undefined;
  const batched: boolean[] = [];
  const faulty: Libc = {
    ...libc,
    sendmsg: (fd, message, flags) => {
      const withControl = memory.view.getUint32(message - memory.base + 40, true) > 0;
      batched.push(withControl);
      failed = withControl && (always || !batched.slice(0, -1).includes(true)) ? errno : undefined;
      return failed === undefined ? libc.sendmsg(fd, message, flags) : -1;
    },
    errno: () => failed ?? libc.errno(),
  };
  const socket = new OffloadUdpSocket(sockets.v4!.fd, 4, faulty, memory);
  const offset = memory.allocate(3000);
  const to = encodeSocketAddress('127.0.0.1' as IpAddress, sockets.port);
  return {
    socket,
    batched,
    sendThree: () => socket.sendBatch(offset, 3000, 1000, to),
    received: () => received(socket),
  };
}

/** Loopback delivers before `sendmsg` returns. */
function received(socket: OffloadUdpSocket): number[] {
  const lengths: number[] = [];
  socket.receive(64, (datagram) => void lengths.push(datagram.length));
  return lengths;
}

describe('UDP socket with offloads', () => {
  it('sends one by one for ever after when the device cannot split (EIO)', () => {
    const { sendThree, received: arrived, batched } = failing(ERRNO.EIO);
    expect(sendThree()).toBe(0);
    expect(sendThree()).toBe(0);
    expect(batched).toEqual([true, false, false, false, false, false, false]);
    expect(arrived()).toEqual([1000, 1000, 1000, 1000, 1000, 1000]);
  });

  for (const name of ['EMSGSIZE', 'EINVAL'] as const) {
    it(`sends one batch one by one when it is too large for the path (${name}), and the next as a batch`, () => {
      const { sendThree, received: arrived, batched } = failing(ERRNO[name]);
      expect(sendThree()).toBe(0);
      expect(sendThree()).toBe(0);
      expect(batched).toEqual([true, false, false, false, true]);
      expect(arrived()).toHaveLength(6);
    });
  }

  it('says that a batch is lost for any other reason', () => {
    const { sendThree, batched } = failing(ERRNO.EAGAIN, true);
    expect(sendThree()).toBe(ERRNO.EAGAIN);
    expect(batched).toEqual([true]);
  });

  it('is not made on a kernel that lacks one of the two options', () => {
    const memory = new PacketMemory(1);
    for (const missing of [103, 104]) {
      const libc = {
        ...loadLibc(),
        setsockopt: (_fd: number, _level: number, option: number) => (option === missing ? -1 : 0),
      };
      expect(enableOffload(libc, memory, 64, 1)).toBe(false);
    }
  });
});
