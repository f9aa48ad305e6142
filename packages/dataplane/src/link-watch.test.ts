import { describe, expect, it } from 'vitest';
import { linkReturns } from './link-watch.js';

const INDEX = 7;

/** RTM_NEWLINK as the kernel lays it out: header, ifinfomsg, and 4 bytes of an attribute. */
function message(up: boolean, index = INDEX, type = 16): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setInt32(20, index, true);
  view.setUint32(24, up ? 0x1043 : 0x1002, true);
  return bytes;
}

function feed(batches: readonly (readonly Uint8Array[])[]): boolean[] {
  const returned = linkReturns(INDEX);
  return batches.map((messages) => {
    const bytes = Uint8Array.from(messages.flatMap((each) => [...each]));
    return returned(new DataView(bytes.buffer), 0, bytes.length);
  });
}

describe('a link returns', () => {
  it('when it is up after it was down, not when it comes up first', () => {
    expect(feed([[message(false)], [message(true)], [message(true)], [message(false)], [message(true)]])).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('also within one batch', () => {
    expect(feed([[message(true), message(false), message(true)]])).toEqual([true]);
  });

  it('only by messages about itself that are whole', () => {
    const cut = message(true).subarray(0, 30);
    expect(feed([[message(true)], [message(false)], [message(true, 8), message(true, INDEX, 17)], [cut]])).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(feed([[new Uint8Array(40)], [message(true)]])).toEqual([false, false]);
  });
});
