import type { IpAddress, PublicKey } from '@warren/base';
import type { Way } from '@warren/paths';
import { encodeSocketAddress, PacketMemory, type UdpSockets } from '@warren/udp';
import type { Device, PathId } from '@warren/wireguard';
import { beforeEach, describe, expect, it } from 'vitest';
import { EngineBase } from './engine-base.js';
import { now } from './machine-driver.js';
import type { PathFrames } from './path-frames.js';
import { PathTable } from './path-table.js';
import { RELAY_HEADER_LENGTH } from './route-sender.js';

const RELAY = 4711 as PathId;
const STREAM: Way = { kind: 'tls', server: 'home' };

/** An engine that notes what it is to open. */
class NotingEngine extends EngineBase<{ readonly fd: number }> {
  readonly opened: { readonly bytes: number[]; readonly path: PathId; readonly ecn: number }[] = [];
  flushed = 0;

  judge(bytes: Uint8Array, path: PathId, ecn = 0): boolean {
    const offset = this.parts.memory.allocate(bytes.length + 1);
    this.parts.memory.bytes.set(bytes, offset);
    return this.demultiplex(offset, bytes.length, path, ecn, now());
  }
  path(from: Uint8Array, socket: number): PathId | undefined {
    return this.pathOf(from, socket);
  }
  protected pumpTun(): void {}
  protected pumpSocket(): void {}
  protected tunError(): void {}
  protected open(offset: number, length: number, path: PathId, ecn: number): boolean {
    this.opened.push({ bytes: [...this.parts.memory.bytes.subarray(offset, offset + length)], path, ecn });
    return true;
  }
  protected flushOpened(): void {
    this.flushed++;
  }
}

function engine(frames?: Partial<PathFrames>): NotingEngine {
  return new NotingEngine({
    tun: { fd: -1 },
    sockets: {} as UdpSockets,
    device: { pollTransmit: () => undefined, pollEvent: () => undefined } as Partial<Device> as Device,
    paths: new PathTable(() => []),
    memory: new PacketMemory(4),
    frames: frames as PathFrames | undefined,
    onHandshakeFailing: (_peer: PublicKey) => undefined,
    onHandshakeCompleted: () => undefined,
    onPeerHeard: () => undefined,
    onTunGone: () => undefined,
  });
}

const FROM = 1 as PathId;
const relayed = (...content: number[]) => Uint8Array.of(0xa9, ...new Uint8Array(RELAY_HEADER_LENGTH - 1), ...content);

describe('what arrives', () => {
  let taken: [first: number, length: number, from: PathId | Way][];
  let frames: Partial<PathFrames>;
  beforeEach(() => {
    taken = [];
    const take = (memory: () => PacketMemory) => (offset: number, length: number, from: PathId | Way) => {
      const first = memory().bytes[offset]!;
      taken.push([first, length, from]);
      return first === 0xa9 ? RELAY : undefined;
    };
    frames = { take: take(() => at.parts.memory), takeFrom: take(() => at.parts.memory) };
  });
  let at: { parts: { memory: PacketMemory } };
  const withFrames = () => {
    const made = engine(frames);
    at = made as unknown as { parts: { memory: PacketMemory } };
    return made;
  };

  it.each([0, 1, 2, 3, 4, 5, 0x9f, 0xc0, 0xff])('goes to WireGuard when it begins with %i', (first) => {
    const made = withFrames();
    expect(made.judge(Uint8Array.of(first, 0, 0, 0), FROM, 2)).toBe(true);
    expect(made.opened).toEqual([{ bytes: [first, 0, 0, 0], path: FROM, ecn: 2 }]);
    expect(taken).toEqual([]);
  });

  it.each([0xa0, 0xa6, 0xb0, 0xbf])('goes to the path driver when it begins with %i', (first) => {
    const made = withFrames();
    expect(made.judge(Uint8Array.of(first, 0, 0, 0), FROM)).toBe(false);
    expect(made.opened).toEqual([]);
    expect(taken).toEqual([[first, 4, FROM]]);
  });

  it('is opened behind the header of a relay, with its path and without the ECN of the last hop', () => {
    const made = withFrames();
    expect(made.judge(relayed(4, 0, 0, 0, 7), FROM, 3)).toBe(true);
    expect(made.opened).toEqual([{ bytes: [4, 0, 0, 0, 7], path: RELAY, ecn: 0 }]);
  });

  it('goes to WireGuard whatever it begins with where no paths are looked for', () => {
    const made = engine();
    made.judge(Uint8Array.of(0xa9, 1), FROM);
    expect(made.opened).toHaveLength(1);
  });

  it('may be empty', () => {
    const made = withFrames();
    made.judge(new Uint8Array(0), FROM);
    expect(made.opened).toEqual([{ bytes: [], path: FROM, ecn: 0 }]);
  });

  it('by a stream is treated alike, but nothing other than frames comes there', () => {
    const made = withFrames();
    made.receiveFrame(relayed(4, 1), STREAM);
    made.receiveFrame(Uint8Array.of(0xa6, 1), STREAM);
    made.receiveFrame(Uint8Array.of(4, 0, 0, 0), STREAM);
    made.receiveFrame(new Uint8Array(0), STREAM);
    expect(made.opened).toEqual([{ bytes: [4, 1], path: RELAY, ecn: 0 }]);
    expect(made.flushed).toBe(1);
    expect(taken.map(([first, , from]) => [first, from])).toEqual([
      [0xa9, STREAM],
      [0xa6, STREAM],
    ]);
  });

  it('on a further socket is on a path of its own', () => {
    const made = withFrames();
    const from = () => encodeSocketAddress('192.0.2.1' as IpAddress, 1);
    expect(made.path(from(), 0)).not.toBe(made.path(from(), 3));
    expect(made.path(from(), 3)).toBe(made.path(from(), 3));
  });
});
