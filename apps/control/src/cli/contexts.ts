import { X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WarrenError } from '@warren/base';

/** One control plane and how to speak to it. */
export interface Context {
  readonly url: string;
  /** An API key; absent: WARREN_TOKEN holds it. */
  readonly token?: string;
  /** Certificates in PEM that its own has to lead to; absent: the system's. */
  readonly ca?: string;
}

/** What `contexts.json` holds. */
export interface Contexts {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

const LOCK_TRIES = 40;
const LOCK_PAUSE = 50;
/** Milliseconds after which a lock's owner is held for dead: a change takes a few. */
const LOCK_STALE = 10_000;
const LARGEST_FILE = 1024 * 1024;

/** The contexts of this user; none when the file is not there. @throws WarrenError `contexts` for a file that is not ours. */
export async function readContexts(path: string): Promise<Contexts> {
  let text: string;
  try {
    const { mode, size } = await stat(path);
    if ((mode & 0o077) !== 0) throw damaged(path, `others than you can read its API keys: chmod 600 ${path}`);
    if (size > LARGEST_FILE) throw damaged(path, 'it is too large to be ours: move it away');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { contexts: {} };
    if (error instanceof WarrenError) throw error;
    throw damaged(path, (error as Error).message, error);
  }
  const contexts = parseContexts(text);
  if (!contexts) throw damaged(path, 'it does not hold contexts: mend it or move it away');
  return contexts;
}

/**
 * Changes the file as one step: a reader sees the state before or after, and of two changes at once none is lost.
 *
 * @throws WarrenError `contexts`, and what `change` throws.
 */
export async function changeContexts(path: string, change: (contexts: Contexts) => Contexts): Promise<Contexts> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const unlock = await lock(`${path}.lock`);
    try {
      const changed = change(await readContexts(path));
      await writeFile(`${path}.new`, `${JSON.stringify(changed, null, 2)}\n`, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
      return changed;
    } finally {
      await unlock();
    }
  } catch (error) {
    if (error instanceof WarrenError) throw error;
    throw damaged(path, (error as Error).message, error);
  }
}

/** @throws WarrenError `bad-url` unless it is an address of REST: http or https, no more than a path behind the host. */
export function checkUrl(text: string): string {
  const url = /^https?:\/\/[^/]/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.search || url.hash) {
    throw new WarrenError('usage', `${JSON.stringify(text)} is no URL such as https://warren.example.org`);
  }
  return text.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

/** An API key as a file or a pipe holds it. @throws WarrenError `usage` */
export function checkToken(text: string, from: string): string {
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new WarrenError('usage', `${from} must hold one API key and nothing else (\`warren apikey create\`)`);
  }
  return token;
}

/** Certificates in PEM, checked one by one. @throws WarrenError `usage` */
export function checkAuthorities(text: string, from: string): string {
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (found.length > 0) return found.map((pem) => new X509Certificate(pem).toString()).join('');
  } catch (error) {
    throw new WarrenError('usage', `${from} holds a certificate that is damaged`, { cause: error });
  }
  throw new WarrenError('usage', `${from} must hold certificates in PEM (-----BEGIN CERTIFICATE-----)`);
}

function parseContexts(text: string): Contexts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { current, contexts } = isObject(value) ? value : {};
  if (!isObject(contexts) || (current !== undefined && typeof current !== 'string')) return undefined;
  for (const context of Object.values(contexts)) {
    if (!isObject(context) || typeof context.url !== 'string') return undefined;
    for (const optional of [context.token, context.ca]) {
      if (optional !== undefined && typeof optional !== 'string') return undefined;
    }
  }
  return value as Contexts;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function lock(path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const held = await stat(path).catch(() => undefined);
      if (held && Date.now() - held.mtimeMs > LOCK_STALE) await rm(path, { force: true });
      else await pause(LOCK_PAUSE);
    }
  }
  throw damaged(path, 'another `warren context` holds it: try again');
}

const damaged = (path: string, why: string, cause?: unknown): WarrenError =>
  new WarrenError('contexts', `cannot use ${path}: ${why}`, { cause });
