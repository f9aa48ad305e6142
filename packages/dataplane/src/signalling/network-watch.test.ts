import { describe, expect, it } from 'vitest';
import { networkChanges, sleepMeter } from './network-watch.js';

const OWN = 7;
const OTHER = 2;
const UP = 0x1 | 0x40 | 0x1_0000;

/** One netlink message: type, body, attributes as [type, bytes]. */
function message(type: number, body: number[], attributes: [number, number[]][] = []): Uint8Array {
  const parts: number[] = [...body];
  for (const [kind, data] of attributes) {
    parts.push((4 + data.length) & 0xff, 0, kind, 0, ...data);
    while (parts.length % 4 !== 0) parts.push(0);
  }
  const bytes = new Uint8Array(16 + parts.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  bytes.set(parts, 16);
  return bytes;
}
const uint32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
const link = (index: number, flags: number, type = 16) =>
  message(type, [0, 0, 0, 0, ...uint32(index), ...uint32(flags), 0, 0, 0, 0]);
const address = (index: number, last: number, type = 20, flags = 0) =>
  message(type, [2, 24, flags, 0, ...uint32(index)], [[1, [192, 0, 2, last]]]);
const route = (index: number, flags = 0, type = 24) =>
  message(
    type,
    [2, 0, 0, 0, 254, 3, 0, 1, ...uint32(flags)],
    [
      [5, [192, 0, 2, 254]],
      [4, uint32(index)],
    ],
  );

function judge() {
  const matters = networkChanges(OWN);
  return (...messages: Uint8Array[]): boolean => {
    const all = Buffer.concat(messages);
    const bytes = new Uint8Array(all.length + 8);
    bytes.set(all, 8);
    return matters(new DataView(bytes.buffer), 8, all.length);
  };
}

describe('what of the network matters', () => {
  it('is a link that comes, goes, or changes its state, but not what it tells again', () => {
    const matters = judge();
    expect(matters(link(OTHER, UP))).toBe(true);
    expect(matters(link(OTHER, UP | 0x100))).toBe(false);
    expect(matters(link(OTHER, 0x1))).toBe(true);
    expect(matters(link(OTHER, 0, 17))).toBe(true);
    expect(matters(link(OTHER, UP))).toBe(true);
  });

  it('is an address that comes or goes, but not one whose lifetime is renewed, nor one that is still tentative', () => {
    const matters = judge();
    expect(matters(address(OTHER, 1, 20, 0x40))).toBe(false);
    expect(matters(address(OTHER, 1))).toBe(true);
    expect(matters(address(OTHER, 1))).toBe(false);
    expect(matters(address(OTHER, 2))).toBe(true);
    expect(matters(address(OTHER, 1, 21))).toBe(true);
    expect(matters(address(OTHER, 1))).toBe(true);
  });

  it('is a route, but not one that the kernel cached', () => {
    const matters = judge();
    expect(matters(route(OTHER))).toBe(true);
    expect(matters(route(OTHER, 0, 25))).toBe(true);
    expect(matters(route(OTHER, 0x200))).toBe(false);
  });

  it('is nothing of our own interface', () => {
    const matters = judge();
    expect(matters(link(OWN, UP), address(OWN, 1), route(OWN), link(OWN, 0, 17))).toBe(false);
    expect(matters(link(OWN, UP), route(OTHER))).toBe(true);
  });

  it('is nothing that is cut off or says a wrong length', () => {
    const matters = judge();
    for (const whole of [link(OTHER, UP), address(OTHER, 9), route(OTHER)]) {
      for (let length = 0; length < 24; length++) expect(matters(whole.subarray(0, length))).toBe(false);
      const lying = whole.slice();
      lying[0] = 255;
      expect(matters(lying)).toBe(false);
    }
  });
});

it('a host slept when its two clocks come apart, once', () => {
  let boot = 5_000;
  const asleep = sleepMeter({ boot: () => boot, monotonic: () => 1_000 });
  expect(asleep()).toBe(false);
  boot += 60_000;
  expect(asleep()).toBe(true);
  expect(asleep()).toBe(false);
});
