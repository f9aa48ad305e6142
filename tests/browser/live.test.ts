import { type PlacedAgent, SITE_KINDS, type SiteMesh } from '@warren/netlab';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { useDashboard } from './support/use-dashboard.js';

const EVENTS = '**/api/v1/events*';
/** Chromium says so on its console when nobody answers. */
const NOBODY_THERE = [/net::ERR_/];

describeBrowser('what happens elsewhere', [], () => {
  const dashboard = useDashboard({ name: 'live', populate: joinTwo });

  it('two browsers see what the other changes, without a reload', async () => {
    const { visit } = dashboard();
    const [{ page: one }, { page: other }] = await Promise.all([visit('/n/default/nodes'), visit('/n/default/nodes')]);
    await other.getByRole('link', { name: 'laptop', exact: true }).waitFor();
    await rename(one, 'laptop', 'notebook');
    await other.getByRole('link', { name: 'notebook', exact: true }).waitFor();
    await rename(other, 'notebook', 'laptop');
    await one.getByRole('heading', { level: 1, name: 'laptop' }).waitFor();
  });

  it('a change that is refused is taken back, with a message', async () => {
    const { page, watched } = await dashboard().visit('/n/default/nodes');
    watched.tolerate(/(409|412) from .*\/nodes\//);
    await openNode(page, 'laptop');
    // Held back until the page has shown what it hopes for.
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/api/v1/nodes/*', async (route) => {
      if (route.request().method() === 'PATCH') await held;
      await route.continue();
    });
    await submitName(page, 'laptop', 'server');
    // The dialog is still open, and hides the page from whoever asks by role.
    await page.locator('h1', { hasText: 'server' }).waitFor();
    letGo();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.locator('h1', { hasText: 'laptop' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { level: 1, name: 'laptop' }).waitFor();
  });

  it('a stream that is cut goes on where it was, with what happened meanwhile', async () => {
    const { visit, mesh } = dashboard();
    const { page, watched } = await visit('/n/default/nodes');
    watched.tolerate(...NOBODY_THERE);
    await page.getByRole('link', { name: 'server', exact: true }).waitFor();
    await page.locator('[data-live="live"]').waitFor({ state: 'attached' });
    await page.route(EVENTS, (route) => route.abort());
    await cutConnections(mesh);
    await page.getByText('The control plane cannot be reached').waitFor();
    for (const name of ['made-meanwhile', 'made-later'])
      expect((await mesh.control.rest('POST', '/nodes', { network: 'default', name, role: 'client' })).status).toBe(
        201,
      );
    await page.unroute(EVENTS);
    const again = page.waitForRequest(EVENTS);
    expect((await again).headers()['last-event-id']).toMatch(/./);
    for (const name of ['made-meanwhile', 'made-later']) await page.getByRole('link', { name }).waitFor();
    await page.getByText('The control plane cannot be reached').waitFor({ state: 'detached' });
  });

  it('a control plane that is killed is missed and found again, and the page is up to date without a reload', async () => {
    const { visit, mesh } = dashboard();
    const { page, watched } = await visit('/n/default/nodes');
    watched.tolerate(...NOBODY_THERE, /50\d from/);
    await page.getByRole('link', { name: 'server', exact: true }).waitFor();
    await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
    mesh.control.process.kill('SIGKILL');
    await mesh.control.process.waitForExit(10_000);
    await page.getByText('The control plane cannot be reached').waitFor();
    // What was shown stays to be read.
    await page.getByRole('link', { name: 'server', exact: true }).waitFor();
    await mesh.control.restart();
    await mesh.control.warrenOutput(['node', 'rename', 'server', 'host']);
    await page.getByRole('link', { name: 'host', exact: true }).waitFor({ timeout: 30_000 });
    await page.getByText('The control plane cannot be reached').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
    await rename(page, 'host', 'server');
    await page.getByRole('heading', { level: 1, name: 'server' }).waitFor();
  });
});

const joinTwo = (mesh: SiteMesh): Promise<PlacedAgent[]> =>
  mesh.joinAll([
    { name: 'server', at: SITE_KINDS[0], role: 'bounce' },
    { name: 'laptop', at: SITE_KINDS[3] },
  ]);

const openNode = (page: Page, name: string): Promise<void> => page.getByRole('link', { name, exact: true }).click();

async function rename(page: Page, from: string, to: string): Promise<void> {
  await openNode(page, from);
  await submitName(page, from, to);
}

async function submitName(page: Page, from: string, to: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: from }).waitFor();
  await page.getByRole('button', { name: /rename/i }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(to);
  await dialog.getByRole('button', { name: /rename|save/i }).click();
}

/** Ends every TCP connection of REST from below, as a middlebox does. */
async function cutConnections({ control }: SiteMesh): Promise<void> {
  const { code, stderr } = await control.host.run('ss', ['-K', 'dport', '=', ':8080']);
  expect(code, stderr).toBe(0);
}
