/** Stream (32 bits) and length (16 bits) before each frame. */
const HEAD_LENGTH = 6;
const FIRST_ROOM = 64 << 10;

/** Frames of many streams in one buffer, which one thread makes and gives to the other. */
export class StreamRecords {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies a frame of at most 65,535 bytes. */
  append(stream: number, frame: Uint8Array): void {
    const end = this.#length + HEAD_LENGTH + frame.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#view.setUint32(this.#length, stream, true);
    this.#view.setUint16(this.#length + 4, frame.length, true);
    this.#bytes.set(frame, this.#length + HEAD_LENGTH);
    this.#length = end;
  }

  /** All that was appended, to be given away; then it is empty. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, 2 * this.#bytes.length, FIRST_ROOM));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** What `StreamRecords` made: `frame` is a view of `records`. */
export function readStreamRecords(records: Uint8Array, onFrame: (stream: number, frame: Uint8Array) => void): void {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  for (let at = 0; at < records.length; ) {
    const end = at + HEAD_LENGTH + view.getUint16(at + 4, true);
    onFrame(view.getUint32(at, true), records.subarray(at + HEAD_LENGTH, end));
    at = end;
  }
}
