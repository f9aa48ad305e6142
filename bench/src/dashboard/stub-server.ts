import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { WarrenError } from '@warren/base';

const DIST = join(dirname(createRequire(import.meta.url).resolve('@warren/dashboard/package.json')), 'dist');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The built page with answers of one topology behind it: who measures the page wants no database in the figures. */
export interface StubServer {
  readonly url: string;
  /** Compressed bytes of what was served since the last call, by extension. */
  takeBytes(): Readonly<Record<string, number>>;
  close(): void;
}

/** @throws WarrenError `page-missing` when the page was not built. */
export async function startStubServer(topology: object): Promise<StubServer> {
  if (!existsSync(join(DIST, 'index.html'))) {
    throw new WarrenError('page-missing', `${DIST} holds no page: build it with "npm run build"`);
  }
  const bytes = new Map<string, number>();
  const answers = answersWith(topology);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://stub');
    if (pathname.startsWith('/api/')) answer(response, pathname, answers);
    else serve(response, pathname, bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeBytes() {
      const taken = Object.fromEntries(bytes);
      bytes.clear();
      return taken;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answersWith({ nodes, links }: { nodes?: unknown; links?: unknown }): ReadonlyMap<string, Buffer> {
  const at = '2026-01-01T00:00:00Z';
  const session = { user: { id: 'u', name: 'admin' }, csrfToken: 'x', createdAt: at, idleExpiresAt: at, expiresAt: at };
  const entries: readonly (readonly [string, unknown])[] = [
    ['/api/v1/session', session],
    ['/api/v1/networks', { items: [{ id: 'n', name: 'default', cidrs: [] }], nextCursor: null }],
    ['/api/v1/networks/default/topology', { networkId: 'n', revision: 1, at, nodes, links }],
  ];
  return new Map(entries.map(([path, value]) => [path, gzipSync(JSON.stringify(value))]));
}

function answer(response: ServerResponse, pathname: string, answers: ReadonlyMap<string, Buffer>): void {
  if (pathname === '/api/v1/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
    return;
  }
  const body = answers.get(pathname);
  if (body) response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
  else {
    const problem = { type: 'about:blank', title: 'not found', status: 404, code: 'not-found' };
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  }
}

function serve(response: ServerResponse, pathname: string, bytes: Map<string, number>): void {
  const file = extname(pathname) === '' ? join(DIST, 'index.html') : join(DIST, pathname);
  const type = TYPES[extname(file)];
  if (type === undefined || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  const body = gzipSync(readFileSync(file), { level: 9 });
  bytes.set(extname(file), (bytes.get(extname(file)) ?? 0) + body.length);
  response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' }).end(body);
}
