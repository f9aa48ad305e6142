import { type FurtherSocket, FurtherSockets, type PacketMemory, type UdpSocket } from '@warren/udp';

/** Sockets besides the data plane's own, by the numbers that the path manager gives them. */
export class PathSockets {
  #factory: FurtherSockets | undefined;
  readonly #open = new Map<number, FurtherSocket & { readonly fd: number }>();
  #ended: FurtherSocket[] = [];
  #changed = false;

  constructor(private readonly memory: PacketMemory) {}

  /** @throws WarrenError as `FurtherSockets.open`. */
  open(number: number, mark: number): FurtherSocket {
    this.end(number);
    // Most hosts never need any.
    this.#factory ??= new FurtherSockets(this.memory);
    const opened = this.#factory.open(mark);
    this.#open.set(number, { ...opened, fd: opened.socket.fd });
    this.#changed = true;
    return opened;
  }

  get(number: number): UdpSocket | undefined {
    return this.#open.get(number)?.socket;
  }

  /** Nothing is sent from it any more; `closeUnused` closes it. */
  end(number: number): void {
    const socket = this.#open.get(number);
    if (!socket) return;
    this.#open.delete(number);
    this.#ended.push(socket);
    this.#changed = true;
  }

  /** @param tell is called first: a descriptor that is closed may be another one's a moment later. */
  closeUnused(tell: () => void): void {
    if (!this.#changed) return;
    this.#changed = false;
    tell();
    for (const socket of this.#ended) socket.close();
    this.#ended = [];
  }

  descriptors(): number[] {
    return Array.from(this.#open.values(), ({ fd }) => fd);
  }

  close(): void {
    for (const number of [...this.#open.keys()]) this.end(number);
    for (const socket of this.#ended) socket.close();
    this.#ended = [];
  }
}
