import { type Instant, isDrop } from '@warren/base';
import { ERRNO, errnoName, type UdpSocket } from '@warren/udp';
import { type PathId, TRANSPORT_HEADER_LENGTH } from '@warren/wireguard';
import { EngineBase, type EngineParts } from '../engine-base.js';
import { applyOuterEcn, outerEcn } from '../explicit-congestion.js';
import { now } from '../machine-driver.js';
import { noteSource } from '../path-sender.js';
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

/**
 * Moves super-packets between TUN and sockets: each is split and its segments sealed straight into the buffer of one `sendmsg`;
 * each received batch is opened where it lies, and goes to the TUN in one `writev` per flow. Allocates nothing per packet.
 * The machine's `memoryAead` must be of the same memory.
 */
export class OffloadEngine extends EngineBase<OffloadTun> {
  readonly #segmenter: Segmenter;
  readonly #coalescer: Coalescer;
  readonly #batch: BatchBuilder;
  /** Where the TUN is read to, so that the packet behind the virtio header is aligned to 16. */
  readonly #read: number;
  readonly #iovecs: number;
  /** Sockets that had something to receive when last asked, with their numbers: the others are asked when the event loop says so. */
  readonly #busy = new Map<UdpSocket, number>();

  constructor(parts: EngineParts<OffloadTun>) {
    super(parts);
    const { memory, tun } = parts;
    const checksum = createChecksum(memory);
    this.#segmenter = new Segmenter(memory.bytes, memory.view, checksum, memory.allocate(MAX_HEADERS));
    this.#read = memory.allocate(16 + MAX_PACKET + VIRTIO_HEADER_LENGTH + SEAL_OVERHEAD) + 16 - VIRTIO_HEADER_LENGTH;
    this.#batch = new BatchBuilder(memory, (path, offset, length, segment, ecn) =>
      this.sender.sendBatch(path, offset, length, segment, ecn),
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

  override rebind(action: () => void): void {
    this.#busy.clear();
    super.rebind(action);
  }

  override removeSocket(number: number): void {
    for (const [socket, of] of this.#busy) if (of === number) this.#busy.delete(socket);
    super.removeSocket(number);
  }

  protected pumpTun(): void {
    this.#pump();
  }

  protected pumpSocket(socket: UdpSocket, number: number): void {
    this.#busy.set(socket, number);
    this.#pump();
  }

  /** Both sides in turn until neither has anything: cheaper than asking the event loop after each. */
  #pump(): void {
    const end = performance.now() + MAX_BURST;
    do {
      let work = this.#readTun();
      for (const [socket, number] of this.#busy) work += this.#receive(socket, number);
      if (work === 0) break;
    } while (!this.closed && performance.now() < end);
    this.driver.armTimer();
    this.parts.frames?.settle();
  }

  /** @returns super-packets read. */
  #readTun(): number {
    const { tun } = this.parts;
    let count = 0;
    while (count < BUDGET && !this.closed) {
      const length = tun.read(this.#read, MAX_PACKET + VIRTIO_HEADER_LENGTH);
      if (length <= 0) {
        if (length < 0) this.#readFailed(-length);
        break;
      }
      count++;
      if (this.#segmenter.begin(this.#read, length)) this.#sealSegments();
      else this.count('tun-read-malformed');
    }
    if (count > 0) {
      this.#batch.flush();
      this.driver.drain();
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
  #receive(socket: UdpSocket, number: number): number {
    let count = 0;
    while (count < BUDGET && !this.closed) {
      const length = socket.receiveBatch();
      if (length < 0) {
        if (count === 0) this.#busy.delete(socket);
        break;
      }
      count++;
      this.#openBatch(socket, number, length);
    }
    if (count > 0) this.driver.drain();
    return count;
  }

  #openBatch({ batch }: UdpSocket, number: number, length: number): void {
    const path = this.pathOf(batch.from, number);
    if (path === undefined) return;
    const at = now();
    const end = batch.offset + length;
    let authenticated = false;
    // Each datagram is judged by itself: a batch is one sender's, but not one peer's, nor all of one kind.
    let offset = batch.offset;
    do {
      const size = Math.min(batch.segmentLength, end - offset);
      if (this.demultiplex(offset, size, path, batch.ecn, at)) authenticated = true;
      offset += batch.segmentLength;
    } while (offset < end);
    this.#coalescer.flush();
    noteSource(this.parts.paths, path, batch.local, authenticated);
  }

  protected open(offset: number, length: number, path: PathId, ecn: number, at: Instant): boolean {
    const { device, frames, memory } = this.parts;
    const opened = device.openInMemory(offset, length, path, at);
    if (isDrop(opened)) return false;
    frames?.received(path, opened.peer, at);
    if (opened.length > 0) {
      const packet = offset + TRANSPORT_HEADER_LENGTH;
      if (ecn !== 0) applyOuterEcn(memory.bytes, packet, ecn);
      this.#coalescer.add(packet, opened.length);
    }
    return true;
  }

  protected flushOpened(): void {
    this.#coalescer.flush();
  }

  #write({ count, offsets, lengths }: Group): void {
    const { memory, tun } = this.parts;
    for (let i = 0; i < count; i++) {
      const iovec = this.#iovecs + IOVEC * (i + 1);
      memory.setUint64(iovec, memory.base + offsets[i]!);
      memory.setUint64(iovec + 8, lengths[i]!);
    }
    const errno = tun.write(this.#iovecs, count + 1);
    if (errno !== 0) this.writeFailed(errno, count);
  }

  #readFailed(errno: number): void {
    if (isTunGone(errno)) this.tunGone();
    else if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EINTR) this.count(`tun-read-${errnoName(errno)}`);
  }

  protected tunError(): void {
    // A read tells a deleted interface from one that is only down.
    this.#pump();
  }
}
