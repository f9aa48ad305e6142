import { type Drop, type Instant, instant, invariant } from '@warren/base';
import { type MemoryAead, TAG_LENGTH } from '@warren/crypto';
import { PADDING_MULTIPLE, REJECT_AFTER_MESSAGES } from './constants.js';
import type { PathId, SealingRun } from './device-api.js';
import type { DeviceState } from './device-state.js';
import { DROPS } from './drops.js';
import { TRANSPORT_HEADER_LENGTH, writeTransportHeader } from './handshake/messages.js';
import { readInnerHeader } from './inner-packet.js';
import type { Peer } from './peer.js';
import { paddedLength, rekeyAfterSending, sealingKeypair, stage } from './send.js';
import { authenticatedPacketSent, dataSent } from './timers.js';
import type { Keypair } from './transport/keypair.js';

/** See `SealingRun`. Allocates nothing but copies of packets that wait for a session. */
export class PacketRun implements SealingRun {
  path: PathId = 0 as PathId;
  #peer: Peer | undefined;
  #keypair: Keypair | undefined;
  #now: Instant = instant(0);
  #bytes = 0;
  readonly #behind = new Uint8Array(PADDING_MULTIPLE);

  constructor(
    private readonly device: DeviceState,
    private readonly aead: MemoryAead,
  ) {}

  /** @returns why the packet cannot be sent, or undefined. */
  begin(offset: number, length: number, now: Instant): Drop | undefined {
    const { memory } = this.aead;
    const header = readInnerHeader(memory, offset, length);
    if (!header) return DROPS.notIp;
    const peer = this.device.allowedIps.lookup(memory, offset + header.destinationOffset, header.addressLength);
    if (!peer) return DROPS.noPeer;
    if (peer.path === undefined && peer.roams) return DROPS.noPath;
    this.path = peer.path ?? (0 as PathId);
    this.#peer = peer;
    // Without a path everything waits, as without a session.
    this.#keypair = peer.path === undefined ? undefined : sealingKeypair(peer, now);
    this.#now = now;
    this.#bytes = 0;
    return undefined;
  }

  seal(offset: number, length: number, out: number): number {
    const { memory } = this.aead;
    const keypair = this.#keypair;
    invariant(this.#peer, 'seal outside of a run');
    if (!keypair || keypair.sendCounter >= REJECT_AFTER_MESSAGES) {
      stage(this.device, this.#peer, memory.slice(offset, offset + length), this.#now);
      return 0;
    }
    const padded = paddedLength(length, this.device.options.mtu);
    const counter = keypair.takeCounter();
    writeTransportHeader(memory, keypair.remoteIndex, counter, out);
    if (padded === length) this.aead.seal(keypair.sendKey, counter, offset, length, out + TRANSPORT_HEADER_LENGTH);
    else this.#sealPadded(keypair, counter, offset, length, padded, out + TRANSPORT_HEADER_LENGTH);
    const datagram = TRANSPORT_HEADER_LENGTH + padded + TAG_LENGTH;
    this.#bytes += datagram;
    return datagram;
  }

  end(): void {
    const peer = this.#peer;
    const keypair = this.#keypair;
    this.#peer = undefined;
    if (!peer || !keypair || this.#bytes === 0) return;
    peer.txBytes += this.#bytes;
    authenticatedPacketSent(this.device, peer, this.#now);
    dataSent(this.device, peer, this.#now);
    rekeyAfterSending(this.device, peer, keypair, this.#now);
  }

  /** What is behind the packet is the next segment's content: it makes room for the padding for a moment. */
  #sealPadded(keypair: Keypair, counter: number, offset: number, length: number, padded: number, out: number): void {
    const { memory } = this.aead;
    const behind = this.#behind;
    const end = offset + length;
    const padding = padded - length;
    for (let i = 0; i < padding; i++) {
      behind[i] = memory[end + i]!;
      memory[end + i] = 0;
    }
    this.aead.seal(keypair.sendKey, counter, offset, padded, out);
    for (let i = 0; i < padding; i++) memory[end + i] = behind[i]!;
  }
}
