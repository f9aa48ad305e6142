import { invariant, WarrenError } from '@warren/base';
import { openUdpSockets, type PacketMemory, type UdpSockets } from '@warren/udp';
import type { PacketPath } from './data-plane-api.js';
import { Engine } from './engine.js';
import type { EngineParts, PacketEngine } from './engine-base.js';
import { OffloadEngine } from './offload/offload-engine.js';
import { type OffloadTun, openOffloadTun } from './offload/offload-tun.js';
import { openTun, type Tun } from './tun.js';
import type { Descriptors, StartOptions } from './worker-messages.js';

/** TUN and sockets of one start, with offloads or without. */
export class Interfaces {
  #sockets: UdpSockets | undefined;
  #plain: Tun | undefined;
  #offload: OffloadTun | undefined;
  /** Further descriptors of this worker, which their makers close. */
  readonly others: number[] = [];
  /** Those of them that come and go. */
  further: readonly number[] = [];

  constructor(
    private readonly options: StartOptions,
    private readonly memory: PacketMemory,
  ) {}

  get sockets(): UdpSockets {
    invariant(this.#sockets, 'the sockets are not open');
    return this.#sockets;
  }

  get path(): PacketPath {
    return this.#offload ? 'offload' : 'plain';
  }

  /** @throws WarrenError; `close` closes what is open by then. */
  open(): void {
    const { options, memory } = this;
    const { adopt, interfaceName, listenPort: port } = options;
    const wanted = adopt?.path ?? options.packetPath;
    this.#sockets = openUdpSockets({ port, memory, path: wanted ?? 'offload', ...(adopt && { adopt: adopt.sockets }) });
    if (wanted !== 'plain') this.#offload = openOffloadTun(interfaceName, memory, adopt?.tun);
    if (this.#offload) return;
    if (wanted === 'offload') {
      throw new WarrenError(
        'no-offload',
        'this kernel has no TUN offloads: leave the packet path out, or choose plain',
      );
    }
    this.#plain = openTun(interfaceName, memory, adopt?.tun);
  }

  createEngine(parts: Omit<EngineParts<Tun>, 'tun' | 'sockets'>): PacketEngine {
    const { sockets } = this;
    if (this.#offload) return new OffloadEngine({ ...parts, sockets, tun: this.#offload });
    invariant(this.#plain, 'the TUN is not open');
    return new Engine({ ...parts, sockets, tun: this.#plain });
  }

  descriptors(): Descriptors {
    const { port, mark, v4, v6 } = this.sockets;
    const tun = this.#offload?.fd ?? this.#plain?.fd;
    invariant(tun !== undefined, 'the TUN is not open');
    return { tun, sockets: { port, mark, v4: v4?.fd, v6: v6?.fd }, others: [...this.others, ...this.further] };
  }

  close(): void {
    this.#offload?.close();
    this.#plain?.close();
    this.#sockets?.close();
  }
}
