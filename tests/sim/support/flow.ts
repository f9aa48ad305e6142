const WINDOW = 8192;
const HEAD_LENGTH = 24;

/**
 * What one agent sends another: numbered datagrams that stand for WireGuard's transport data. The receiver keeps a window as
 * WireGuard does, so that a copy is taken once; who cannot know the session's name cannot make one.
 */
export class Flow {
  /** By number. */
  readonly sentAt: number[] = [];
  private readonly delivered: boolean[] = [];
  private highest = -1;
  copies = 0;

  constructor(
    private readonly session: Uint8Array,
    private readonly senderRelayId: Uint8Array,
  ) {}

  /** The next datagram. */
  seal(now: number): Uint8Array {
    this.sentAt.push(now);
    return this.datagramOf(this.sentAt.length - 1);
  }

  datagramOf(counter: number): Uint8Array {
    const datagram = new Uint8Array(HEAD_LENGTH + 32);
    datagram[0] = 4;
    datagram.set(this.senderRelayId, 4);
    datagram.set(this.session, 12);
    new DataView(datagram.buffer).setUint32(20, counter);
    return datagram;
  }

  /** @returns whether it is of this flow and new. */
  open(datagram: Uint8Array): boolean {
    if (datagram.length < HEAD_LENGTH || !this.session.every((byte, i) => datagram[12 + i] === byte)) return false;
    const counter = new DataView(datagram.buffer, datagram.byteOffset).getUint32(20);
    if (counter >= this.sentAt.length || counter <= this.highest - WINDOW) return false;
    if (this.delivered[counter]) {
      this.copies++;
      return false;
    }
    this.delivered[counter] = true;
    this.highest = Math.max(this.highest, counter);
    return true;
  }

  /** When the datagrams were sent that did not arrive, of those sent in `[from, to)`. */
  lostBetween(from: number, to: number): number[] {
    return this.sentAt.filter((at, counter) => at >= from && at < to && !this.delivered[counter]);
  }

  /** Whose datagram it claims to be. */
  static senderOf(datagram: Uint8Array): Uint8Array {
    return datagram.subarray(4, 12);
  }
}
