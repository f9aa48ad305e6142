import { describe, expect, it } from 'vitest';
import { MAX_LINE, RequestReader } from './request-reader.js';

const read = (text: string, reader = new RequestReader()) => [...reader.push(text)];

describe('the request reader', () => {
  it('knows get and set', () => {
    expect(read('get=1\n\nset=1\nfwmark=1\nlisten_port=2\n\n')).toEqual([
      { operation: 'get' },
      { operation: 'set', body: 'fwmark=1\nlisten_port=2' },
    ]);
  });

  it.each(['', 'get=2', 'set', 'GET=1', 'get=1 ', 'set=1\r'])('is done with a client that begins with %j', (line) => {
    const reader = new RequestReader();
    expect(read(`${line}\nget=1\n\n`, reader)).toMatchObject([
      { operation: 'bad', fatal: true, problem: { errno: 71 } },
    ]);
    expect(read('get=1\n\n', reader)).toEqual([]);
  });

  it('refuses a get with further lines and goes on with the next request', () => {
    expect(read('get=1\nfwmark=1\n\nget=1\n\n')).toMatchObject([
      { operation: 'bad', fatal: false, problem: { errno: 22 } },
      { operation: 'get' },
    ]);
  });

  it('gives up on a line that does not end', () => {
    const reader = new RequestReader();
    expect(read('set=1\n', reader)).toEqual([]);
    expect(read('x'.repeat(MAX_LINE), reader)).toEqual([]);
    expect(read('x', reader)).toMatchObject([{ operation: 'bad', fatal: true, problem: { errno: 22 } }]);
  });

  it('gives up on a request that does not end', () => {
    const reader = new RequestReader(1_000);
    const line = `private_key=${'a'.repeat(88)}\n`;
    expect(read(`set=1\n${line.repeat(9)}`, reader)).toEqual([]);
    expect(read(line, reader)).toMatchObject([{ operation: 'bad', fatal: true, problem: { errno: 7 } }]);
  });

  it('says whether a request has begun', () => {
    const reader = new RequestReader();
    expect(reader.inRequest).toBe(false);
    read('se', reader);
    expect(reader.inRequest).toBe(true);
    read('t=1\n', reader);
    expect(reader.inRequest).toBe(true);
    read('\n', reader);
    expect(reader.inRequest).toBe(false);
  });
});
