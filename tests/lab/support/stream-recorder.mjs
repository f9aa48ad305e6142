// Preloaded into a program (`node --import`): writes every byte that goes through one of its streams, decrypted
// HTTP/2 and TLS included, to the file that WARREN_STREAM_RECORD names.
import { openSync, writeSync } from 'node:fs';
import { Duplex, Readable, Writable } from 'node:stream';

const path = process.env.WARREN_STREAM_RECORD;
if (path) {
  const file = openSync(path, 'a');
  const keep = (chunk, encoding) => {
    if (typeof chunk === 'string') writeSync(file, Buffer.from(chunk, Buffer.isEncoding(encoding) ? encoding : 'utf8'));
    else if (ArrayBuffer.isView(chunk)) writeSync(file, chunk);
  };
  const record = (prototype, method) => {
    const original = prototype[method];
    prototype[method] = function recorded(chunk, encoding, ...rest) {
      keep(chunk, encoding);
      return original.call(this, chunk, encoding, ...rest);
    };
  };
  record(Readable.prototype, 'push');
  // Duplex has copies of Writable's methods, not the same ones by inheritance.
  for (const { prototype } of [Writable, Duplex]) for (const method of ['write', 'end']) record(prototype, method);
}
