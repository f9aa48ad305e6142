import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';

const PAGE = '<!doctype html><meta name="csp-nonce" nonce="__CSP_NONCE__" /><div id="root"></div>';
const SCRIPT = `console.log('${'x'.repeat(2_000)}')`;
let plane: TestPlane;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'session-dashboard-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, 'favicon.svg'), '<svg/>');
  writeFileSync(join(folder, 'assets/index-4f3a.js'), SCRIPT);
  writeFileSync(join(folder, 'assets/index-4f3a.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(folder, 'assets/index-4f3a.js.br'), 'brotli');
  plane = await startTestPlane({ dashboard: folder });
});
afterAll(async () => {
  await plane?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET') =>
  plane.rest.app.inject({ method, url, headers });

describe('the dashboard', () => {
  it('is the same page at every address of its own, each time with another nonce', async () => {
    const nonces = new Set<string>();
    const paths = [
      '/',
      '/?x=1',
      '/welcome',
      '/sign-in',
      '/n/default/topology?node=1.2',
      '/n/default/nodes/0a',
      '/api-keys',
    ];
    for (const path of paths) {
      const answer = await get(path, { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
      expect([path, answer.statusCode]).toEqual([path, 200]);
      expect(answer.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      const policy = String(answer.headers['content-security-policy']);
      const nonce = /style-src 'self' 'nonce-([\w+/=]{24})'/.exec(policy)![1]!;
      nonces.add(nonce);
      expect(answer.body).toBe(PAGE.replace('__CSP_NONCE__', nonce));
      expect(policy).not.toContain('unsafe-inline');
      expect(policy.split('; ')).toEqual(
        expect.arrayContaining([
          ...["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'"],
          ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "img-src 'self' data: blob:"],
        ]),
      );
    }
    expect(nonces.size).toBe(paths.length);
    expect((await get('/sign-in', {}, 'HEAD')).statusCode).toBe(200);
  });

  it('has files that browsers keep for ever, compressed as they like', async () => {
    const plain = await get('/assets/index-4f3a.js');
    expect(plain.body).toBe(SCRIPT);
    expect(plain.headers).toMatchObject({
      'content-type': 'application/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
    });
    expect(plain.headers['content-security-policy']).toContain("script-src 'self'");
    const gzip = await get('/assets/index-4f3a.js', { 'accept-encoding': 'gzip' });
    expect(gzip.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'application/javascript; charset=utf-8',
    });
    expect(gzip.rawPayload.equals(gzipSync(SCRIPT))).toBe(true);
    const brotli = await get('/assets/index-4f3a.js', { 'accept-encoding': 'gzip, deflate, br' });
    expect([brotli.headers['content-encoding'], brotli.body]).toEqual(['br', 'brotli']);
    const icon = await get('/favicon.svg');
    expect([icon.statusCode, icon.headers['content-type']]).toEqual([200, 'image/svg+xml']);
    expect(icon.headers['cache-control']).toBe('public, max-age=3600');
  });

  it('leaves what is not there not there', async () => {
    const nowhere = [
      ...['/assets/index-0000.js', '/assets/', '/assets/../index.html', '/assets/..%2findex.html', '/nothing.js'],
      ...['/api', '/api/nothing', '/api/v1/nothing', '/api/v2', '/robots.txt', '/assets/x/index-4f3a.js'],
    ];
    for (const path of nowhere) {
      const { statusCode, headers, body } = await get(path, { accept: 'text/html' });
      expect([path, [403, 404].includes(statusCode), body.includes('root')]).toEqual([path, true, false]);
      expect(headers['content-type'], path).toMatch(/^application\/problem\+json/);
    }
    expect((await get('/n/default/topology', { accept: 'application/json' })).json().code).toBe('not-found');
    expect((await get('/welcome', {}, 'POST')).statusCode).toBe(404);
    expect((await get('/', {}, 'POST')).statusCode).toBe(405);
    expect((await get('/api/docs/')).body).toContain('swagger');
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
  });

  it('that is not built says so, and all else works', async () => {
    rmSync(join(folder, 'index.html'));
    for (const path of ['/', '/n/default/topology']) {
      const answer = await get(path);
      expect(answer.json()).toMatchObject({ status: 503, code: 'dashboard-missing' });
      expect(answer.json().detail).toContain('npm run build');
    }
    expect((await get('/healthz')).statusCode).toBe(200);
    writeFileSync(join(folder, 'index.html'), PAGE);
    expect((await get('/')).statusCode).toBe(200);
  });
});
