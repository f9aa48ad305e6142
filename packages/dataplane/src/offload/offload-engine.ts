import { isDrop } from '@warren/base';
import { ERRNO, errnoName, type Readiness, type UdpSocket, watchReadable } from '@warren/udp';
import { TRANSPORT_HEADER_LENGTH } from '@warren/wireguard';
import type { EngineParts, PacketEngine } from '../engine.js';
import { applyOuterEcn, outerEcn } from '../explicit-congestion.js';
import { MachineDriver, now } from '../machine-driver.js';
import { noteSource, PathSender } from '../path-sender.js';
import { SocketWatch } from '../socket-watch.js';
import { isTunGone } from '../tun.js';
import { Coalescer, type Group, MAX_PARTS } from './coalescing.js';
import { createChecksum } from './internet-checksum.js';
import type { OffloadTun } from './offload-tun.js';
import { MAX_HEADERS, Segmenter } from './segmentation.js';
import { BatchBuilder } from './send-batch.js';
import { VIRTIO_HEADER_LENGTH } from './virtio-header.js';

/** Super-packets or batches taken from one side before the other has its turn. */
const BUDGET = 16;
/** Time after which timers and messages have their turn, milliseconds. */
const MAX_BURST = 2;
const MAX_PACKET = 65_535;
const SEAL_OVERHEAD = 15 + 32;
const IOVEC = 16;

export type OffloadEngineParts = Omit<EngineParts, 'tun'> & { readonly tun: OffloadTun };

/**
 * Moves super-packets between TUN and sockets: each is split and its segments sealed straight into the buffer of one `sendmsg`;
 * each received batch is opened where it lies, and goes to the TUN in one `writev` per flow. Allocates nothing per packet.
 * The machine's `memoryAead` must be of the same memory.
 */
export class OffloadEngine implements PacketEngine {
  readonly drops = new Map<string, number>();
  readonly #driver: MachineDriver;
  readonly #segmenter: Segmenter;
  readonly #coalescer: Coalescer;
  readonly #batch: BatchBuilder;
  /** Where the TUN is read to, so that the packet behind the virtio header is aligned to 16. */
  readonly #read: number;
  readonly #iovecs: number;
  readonly #watches: Readiness[] = [];
  readonly #sockets: SocketWatch;
  readonly #sender: PathSender;
  /** Sockets that had something to receive when last asked: the others are asked when the event loop says so. */
  readonly #busy = new Set<UdpSocket>();
  #closed = false;

  constructor(private readonly parts: OffloadEngineParts) {
    const { memory, tun } = parts;
    const checksum = createChecksum(memory);
    this.#sender = new PathSender(parts, (reason, packets) => this.#count(reason, packets));
    this.#sockets = new SocketWatch(parts.sockets, (socket) => {
      this.#busy.add(socket);
      this.#pump();
    });
    this.#driver = new MachineDriver({ ...parts, send: (path, datagram) => this.#sender.send(path, datagram) });
    this.#segmenter = new Segmenter(memory.bytes, memory.view, checksum, memory.allocate(MAX_HEADERS));
    this.#read = memory.allocate(16 + MAX_PACKET + VIRTIO_HEADER_LENGTH + SEAL_OVERHEAD) + 16 - VIRTIO_HEADER_LENGTH;
    this.#batch = new BatchBuilder(memory, (path, offset, length, segment, ecn) =>
      this.#sender.sendBatch(path, offset, length, segment, ecn),
    );
    const header = memory.allocate(VIRTIO_HEADER_LENGTH);
    this.#iovecs = memory.allocate(IOVEC * (1 + MAX_PARTS));
    memory.setUint64(this.#iovecs, memory.base + header);
    memory.setUint64(this.#iovecs + 8, VIRTIO_HEADER_LENGTH);
    this.#coalescer = new Coalescer({
      bytes: memory.bytes,
      view: memory.view,
      checksum,
      header,
      udp: tun.udp,
      write: (group) => this.#write(group),
    });
  }

  start(): void {
    const { tun } = this.parts;
    this.#watches.push(
      watchReadable(
        tun.fd,
        () => this.#pump(),
        () => this.#tunError(),
      ),
    );
    this.#sockets.open();
    this.settle();
  }

  rebind(action: () => void): void {
    this.#busy.clear();
    this.#sockets.during(action);
  }

  settle(): void {
    this.#driver.settle();
  }

  close(): void {
    this.#closed = true;
    this.#driver.close();
    this.#sockets.close();
    for (const watch of this.#watches) watch.close();
  }

  /** Both sides in turn until neither has anything: cheaper than asking the event loop after each. */
  #pump(): void {
    const end = performance.now() + MAX_BURST;
    do {
      let work = this.#pumpTun();
      for (const socket of this.#busy) work += this.#pumpSocket(socket);
      if (work === 0) break;
    } while (!this.#closed && performance.now() < end);
    this.#driver.armTimer();
  }

  /** @returns super-packets read. */
  #pumpTun(): number {
    const { tun } = this.parts;
    let count = 0;
    while (count < BUDGET && !this.#closed) {
      const length = tun.read(this.#read, MAX_PACKET + VIRTIO_HEADER_LENGTH);
      if (length <= 0) {
        if (length < 0) this.#readFailed(-length);
        break;
      }
      count++;
      if (this.#segmenter.begin(this.#read, length)) this.#sealSegments();
      else this.#count('tun-read-malformed');
    }
    if (count > 0) {
      this.#batch.flush();
      this.#driver.drain();
    }
    return count;
  }

  #sealSegments(): void {
    const segmenter = this.#segmenter;
    const batch = this.#batch;
    if (!segmenter.next()) return;
    const run = this.parts.device.beginRun(segmenter.offset, segmenter.length, now());
    if (isDrop(run)) return; // the machine counts its own drops
    const ecn = outerEcn(this.parts.memory.bytes, segmenter.offset); // the same in all segments
    do {
      const place = batch.place(segmenter.length + SEAL_OVERHEAD);
      const length = run.seal(segmenter.offset, segmenter.length, place);
      if (length > 0) batch.add(run.path, length, ecn);
    } while (segmenter.next());
    run.end();
  }

  /** @returns batches received. */
  #pumpSocket(socket: UdpSocket): number {
    let count = 0;
    while (count < BUDGET && !this.#closed) {
      const length = socket.receiveBatch();
      if (length < 0) {
        if (count === 0) this.#busy.delete(socket);
        break;
      }
      count++;
      this.#openBatch(socket, length);
    }
    if (count > 0) this.#driver.drain();
    return count;
  }

  #openBatch({ batch }: UdpSocket, length: number): void {
    const { device, memory, paths } = this.parts;
    const path = paths.intern(batch.from);
    if (path === undefined) {
      this.#count('path-table-full');
      return;
    }
    const at = now();
    const end = batch.offset + length;
    let authenticated = false;
    // Each datagram is judged by itself: a batch is one sender's, but not one peer's, nor all of one kind.
    let offset = batch.offset;
    do {
      const opened = device.openInMemory(offset, Math.min(batch.segmentLength, end - offset), path, at);
      authenticated ||= !isDrop(opened);
      if (!isDrop(opened) && opened.length > 0) {
        const packet = offset + TRANSPORT_HEADER_LENGTH;
        if (batch.ecn !== 0) applyOuterEcn(memory.bytes, packet, batch.ecn);
        this.#coalescer.add(packet, opened.length);
      }
      offset += batch.segmentLength;
    } while (offset < end);
    this.#coalescer.flush();
    noteSource(paths, path, batch.local, authenticated);
  }

  #write({ count, offsets, lengths }: Group): void {
    const { memory, tun } = this.parts;
    for (let i = 0; i < count; i++) {
      const iovec = this.#iovecs + IOVEC * (i + 1);
      memory.setUint64(iovec, memory.base + offsets[i]!);
      memory.setUint64(iovec + 8, lengths[i]!);
    }
    const errno = tun.write(this.#iovecs, count + 1);
    if (errno === 0) return;
    if (isTunGone(errno)) this.#tunGone();
    else this.#count(`tun-write-${errnoName(errno)}`, count);
  }

  #readFailed(errno: number): void {
    if (isTunGone(errno)) this.#tunGone();
    else if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EINTR) this.#count(`tun-read-${errnoName(errno)}`);
  }

  #tunError(): 'continue' | 'stop' {
    // A read tells a deleted interface from one that is only down.
    this.#pump();
    return this.#closed ? 'stop' : 'continue';
  }

  /** Stops here; the owner hears of it when no call of ours is on the stack, since it closes descriptors and machine. */
  #tunGone(): void {
    if (this.#closed) return;
    this.close();
    setImmediate(() => this.parts.onTunGone());
  }

  #count(reason: string, packets = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + packets);
  }
}
