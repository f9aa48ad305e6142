import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { axeViolations } from './support/axe.js';
import { type LivelyNetwork, populateLively } from './support/lively-network.js';
import { sidewaysScroll, waitForView, whatSticksOut } from './support/page-state.js';
import { useDashboard } from './support/use-dashboard.js';
import { STRANGERS_VIEWS, type View, views } from './support/views.js';
import { ORIGIN } from './support/watched-context.js';

const KIB = 1_024;
/** Issue: compressed JavaScript until the first view stands. */
const FIRST_LOAD = 250 * KIB;
const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 800 };

describeBrowser('every view', [], () => {
  const dashboard = useDashboard<LivelyNetwork>({ name: 'views', populate: populateLively });

  /** Looks at a view as it is opened, in both colours, on a telephone, and loaded again. */
  const judge = async (view: View, stranger: boolean): Promise<void> => {
    const options = { stranger, viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce' } as const;
    const { page, watched } = await dashboard().visit(view.path, options);
    await waitForView(page, view.heading);
    expect(await page.title()).toMatch(/ · Warren$/);
    const problems: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
      problems.push(...(await axeViolations(page)).map((text) => `${colorScheme}: ${text}`));
    }
    await page.setViewportSize(NARROW);
    await expect.poll(async () => (await sidewaysScroll(page)) === 0 || whatSticksOut(page)).toBe(true);
    problems.push(...(await axeViolations(page)).map((text) => `360 px: ${text}`));
    const address = page.url();
    await page.reload();
    await waitForView(page, view.heading);
    expect(page.url()).toBe(address);
    expect(problems).toEqual([]);
    expect(watched.requests.length).toBeGreaterThan(2);
  };

  const NAMES = views('', '').map(({ name }) => name);
  it.each(NAMES)('%s: a deep link that stays, clean in light and dark, 360 pixels wide', async (name) => {
    const { bounce, laptop } = dashboard().parts;
    const view = views(laptop.id, bounce.id).find((each) => each.name === name)!;
    await judge(view, false);
  });
  it.each(STRANGERS_VIEWS)('$name: clean for a stranger', (view) => judge(view, true));

  it('the first load is small', async () => {
    const { watched, page } = await dashboard().visit('about:blank');
    const scripts: Promise<number>[] = [];
    watched.context.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return;
      scripts.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
    });
    await page.goto('/');
    await waitForView(page, 'Topology');
    await page.locator('[data-live="live"]').waitFor({ state: 'attached' });
    const sizes = await Promise.all(scripts);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`first load: ${(total / KIB).toFixed(1)} KiB of compressed JavaScript in ${sizes.length} files`);
    expect(sizes.length).toBeGreaterThan(0);
    expect(total).toBeLessThan(FIRST_LOAD);
  });

  it('the policy of the page is strict, and so are the headers beside it', async () => {
    const { page } = await dashboard().visit('about:blank');
    const headers = (await page.goto('/networks'))!.headers();
    const policy = new Map(
      headers['content-security-policy']!.split(';').map((part) => {
        const [name, ...values] = part.trim().split(' ');
        return [name!, values.join(' ')];
      }),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self' 'wasm-unsafe-eval'");
    expect(policy.get('connect-src')).toBe("'self'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect([...policy.values()].join(' ')).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  it('a page that asks another origin, breaks its policy or throws would be noticed', async () => {
    const { visit } = dashboard();
    const { page, watched } = await visit('/networks');
    expect(watched.takeComplaints()).toEqual([]);
    await page.evaluate(() => {
      void fetch('http://elsewhere.example/').catch(() => undefined);
      const inline = document.createElement('script');
      inline.textContent = 'window.ran = true';
      document.body.append(inline);
      const style = document.createElement('style');
      style.textContent = 'body { color: red }';
      document.head.append(style);
      console.error('something went wrong');
      setTimeout(() => {
        throw new Error('nobody caught this');
      });
    });
    const wanted = [/policy: connect-src forbids http:\/\/elsewhere/, /policy: script-src/, /policy: style-src/];
    wanted.push(/console: something went wrong/, /exception: .*nobody caught this/);
    await expect.poll(() => wanted.filter((each) => !watched.complaints.some((text) => each.test(text)))).toEqual([]);
    expect(await page.evaluate(() => 'ran' in window)).toBe(false);
    watched.takeComplaints();
    const other = await watched.context.newPage();
    await other.goto(`${ORIGIN.replace('127.0.0.1', 'localhost')}/`);
    expect(watched.complaints.some((text) => text.startsWith('another origin: GET http://localhost:8080/'))).toBe(true);
    await watched.close();
    watched.takeComplaints();
  });
});
