/** Bytes of the length before each frame on a stream. */
const LENGTH_BYTES = 2;
/** Longest frame that 16 bits can announce. */
export const MAX_STREAM_FRAME = 65_535;
const LEAST_ROOM = 2048;

/** `frame` behind its length, new. @throws RangeError for more than 65,535 bytes. */
export function encodeStreamFrame(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  if (frame.length > MAX_STREAM_FRAME)
    throw new RangeError(`a frame on a stream has at most ${MAX_STREAM_FRAME} bytes`);
  const whole = new Uint8Array(LENGTH_BYTES + frame.length);
  whole[0] = frame.length >> 8;
  whole[1] = frame.length & 0xff;
  whole.set(frame, LENGTH_BYTES);
  return whole;
}

/** Takes the frames out of a stream of bytes, however it is cut into chunks. Holds less than one frame. */
export class StreamFrames {
  /** The beginning of a frame that is not complete yet. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  /** @param onFrame is given views of `chunk`, or of memory that the next frame overwrites. */
  take(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#length === 0) {
        const end = frameEnd(chunk, at);
        if (end !== undefined && end <= chunk.length) {
          onFrame(chunk.subarray(at + LENGTH_BYTES, end));
          at = end;
          continue;
        }
      }
      at = this.#complete(chunk, at, onFrame);
    }
  }

  /** Adds what is missing, as far as it is there. @returns where the chunk goes on. */
  #complete(chunk: Uint8Array, at: number, onFrame: (frame: Uint8Array) => void): number {
    const wanted = frameEnd(this.#rest.subarray(0, this.#length), 0) ?? LENGTH_BYTES;
    const part = chunk.subarray(at, at + wanted - this.#length);
    if (wanted > this.#rest.length) this.#grow(wanted);
    this.#rest.set(part, this.#length);
    this.#length += part.length;
    const end = frameEnd(this.#rest.subarray(0, this.#length), 0);
    if (end === this.#length) {
      this.#length = 0;
      onFrame(this.#rest.subarray(LENGTH_BYTES, end));
    }
    return at + part.length;
  }

  /** Most streams never have a long frame cut in two. */
  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, LEAST_ROOM));
    grown.set(this.#rest.subarray(0, this.#length));
    this.#rest = grown;
  }
}

/** Where the frame at `at` ends; undefined while its length is not there. */
const frameEnd = (bytes: Uint8Array, at: number): number | undefined =>
  at + LENGTH_BYTES <= bytes.length ? at + LENGTH_BYTES + ((bytes[at]! << 8) | bytes[at + 1]!) : undefined;
