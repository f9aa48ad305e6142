import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { WarrenError } from '@warren/base';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log.js';
import { type Api, PUBLIC } from '../rest/context.js';
import { isBuilt } from './dashboard-files.js';
import { contentSecurityPolicy } from './policy.js';

/** Stands in index.html where the nonce of an answer goes. */
const NONCE_PLACE = '__CSP_NONCE__';
const NONCE_LENGTH = 16;
/** Names of files in `assets` hold a hash of their content: they never change. */
const FOR_EVER = { maxAge: '1y', immutable: true } as const;
/** Other files keep their name when they change. */
const FOR_A_WHILE = { maxAge: '1h' } as const;
const FILE_NAME = /^[\w-]+(\.[\w-]+)*$/;
const HIDDEN = { config: PUBLIC, schema: { hide: true } } as const;

/** Answers what no route takes, if it is a page of the dashboard. @returns whether it did */
export type ServePage = (request: FastifyRequest, reply: FastifyReply) => boolean;

/**
 * Serves the built dashboard: `/`, its files, and for every other path that may be one of its pages the same page, which
 * finds out by itself. The page is read for each answer, so that a build is seen without a restart.
 *
 * @param folder the dashboard's `dist`
 */
export async function serveDashboard(app: Api, folder: string, log: Log | undefined): Promise<ServePage> {
  if (!isBuilt(folder)) log?.warn({ folder }, 'the dashboard is not built: `npm run build` does that');
  await app.register(fastifyStatic, {
    ...{ root: folder, serve: false, index: false, preCompressed: true, dotfiles: 'ignore' },
    suppressWarning: true,
  });
  const sendPage = async (reply: FastifyReply): Promise<void> => {
    const text = await readPage(folder);
    const nonce = randomBytes(NONCE_LENGTH).toString('base64');
    void reply.header('content-security-policy', contentSecurityPolicy(nonce)).header('cache-control', 'no-store');
    void reply.header('cross-origin-opener-policy', 'same-origin').type('text/html; charset=utf-8');
    await reply.send(text.replaceAll(NONCE_PLACE, nonce));
  };
  const sendFile = (reply: FastifyReply, path: string, caching: typeof FOR_EVER | typeof FOR_A_WHILE): FastifyReply =>
    reply.header('content-security-policy', contentSecurityPolicy()).sendFile(path, caching);

  app.get('/', HIDDEN, async (_request, reply) => {
    await sendPage(reply);
    return reply;
  });
  app.get<{ Params: { name: string } }>('/assets/:name', HIDDEN, (request, reply) => {
    const { name } = request.params;
    return FILE_NAME.test(name) ? sendFile(reply, `assets/${name}`, FOR_EVER) : reply.callNotFound();
  });
  for (const name of filesBeside(folder)) app.get(`/${name}`, HIDDEN, (_, reply) => sendFile(reply, name, FOR_A_WHILE));

  return (request, reply) => {
    if (!isPagePath(request)) return false;
    sendPage(reply).catch((error: unknown) => reply.send(error));
    return true;
  };
}

async function readPage(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, 'index.html'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const text = 'the dashboard is not built: `npm run build` does that; REST works without it, see /api/docs';
    throw new WarrenError('dashboard-missing', text);
  }
}

/** Of the page itself, such as its icon. Those that are compressed already stand for the others. */
function filesBeside(folder: string): string[] {
  if (!isBuilt(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && FILE_NAME.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => name !== 'index.html' && !/\.(br|gz|map)$/.test(name));
}

/** What is asked for like a page, and is no file and nothing of the API. */
function isPagePath({ method, url, headers }: FastifyRequest): boolean {
  const path = url.split('?')[0]!;
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (/^\/(api|assets)(\/|$)/.test(path) || /\.[^/]*$/.test(path)) return false;
  const { accept = '*/*' } = headers;
  return /text\/html|\*\/\*/.test(accept);
}
