import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFetch } from './node.js';

let server: Server;
let folder: string;
let socketPath: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-test-'));
  socketPath = join(folder, 'x.sock');
  server = createServer((request, response) => {
    if (request.url === '/silent') return;
    if (request.url === '/empty') return void response.writeHead(204).end();
    if (request.url === '/moved') return void response.writeHead(302, { location: 'http://elsewhere/' }).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ method, url, type: headers['content-type'], body: Buffer.concat(chunks).toString() }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('nodeFetch', () => {
  it('speaks through a unix socket', async () => {
    const request = new Request('http://local/a?b=c', {
      method: 'POST',
      body: '{"ü":1}',
      headers: { 'content-type': 'application/json' },
    });
    const answer = await nodeFetch({ socketPath })(request);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ method: 'POST', url: '/a?b=c', type: 'application/json', body: '{"ü":1}' });
  });

  it('gives answers without a body, and follows no redirect', async () => {
    expect((await nodeFetch({ socketPath })(new Request('http://local/empty'))).status).toBe(204);
    expect((await nodeFetch({ socketPath })(new Request('http://local/moved'))).status).toBe(302);
  });

  it('gives up after the timeout, and when the caller does', async () => {
    const silent = () => new Request('http://local/silent');
    await expect(nodeFetch({ socketPath, timeout: 50 })(silent())).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const aborted = new Request('http://local/silent', { signal: AbortSignal.abort() });
    await expect(nodeFetch({ socketPath })(aborted)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('rejects with the code of Node when nobody listens', async () => {
    const nobody = nodeFetch({ socketPath: join(folder, 'none.sock') });
    await expect(nobody(new Request('http://local/'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(nodeFetch()(new Request('http://127.0.0.1:1/'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
