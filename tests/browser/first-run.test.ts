import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentNode, type Host, SITE_KINDS, type SiteMesh, waitUntil } from '@warren/netlab';
import type { Page, Request } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { setPassword } from './support/sign-in.js';
import { printedLink, useDashboard } from './support/use-dashboard.js';

const REACHED_MS = 30_000;
const HOME = SITE_KINDS.find(({ name }) => name === 'ei-apd')!;
/** The kernel has no WireGuard here, and where it has, Debian's program is what such tests are about. */
const WG_QUICK = {
  WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
  WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
};

describeBrowser('the first hour', ['wireguard-go', 'wg', 'wg-quick'], () => {
  const dashboard = useDashboard({ name: 'first-run', unused: true, populate: addHosts });
  let server: AgentNode;
  let laptop: AgentNode;
  let phone: string;

  it('goes from the printed link to a page to a copied line to the first node, which appears by itself', async () => {
    const { mesh, visit, parts, signedInAs } = dashboard();
    const { page, watched } = await visit('/', { stranger: true, permissions: ['clipboard-read', 'clipboard-write'] });
    await page.waitForURL('**/sign-in');
    await setPassword(page, await printedLink(mesh));
    await page.waitForURL('**/n/default/topology');
    signedInAs(await watched.context.storageState());
    // The link has served, and is not what one comes back to.
    expect(await page.evaluate(() => location.href)).not.toContain('warrenlink_');

    await page.getByRole('main').getByRole('link', { name: /add/i }).first().click();
    server = await joinByPage(page, parts.server, 'server', 'bounce');
    await page.getByRole('status').filter({ hasText: 'server joined' }).waitFor();
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.getByRole('link', { name: 'Table', exact: true }).click();
    await page
      .getByRole('row', { name: /server/ })
      .filter({ hasText: server.ipv4 })
      .waitFor();
  });

  it('adds one more agent while somebody looks on', async () => {
    const { visit, parts } = dashboard();
    const { page: onlooker } = await visit('/n/default/topology?view=table');
    const { page } = await visit('/n/default/add', { permissions: ['clipboard-read', 'clipboard-write'] });
    laptop = await joinByPage(page, parts.laptop, 'laptop', 'client');
    await onlooker
      .getByRole('row', { name: /laptop/ })
      .filter({ hasText: laptop.ipv4 })
      .waitFor();
    await waitUntil('laptop to reach server', { timeoutMs: REACHED_MS }, () => laptop.host.ping(server.ipv4));
  });

  it('adds a phone whose file connects, and whose private key never leaves the page', async () => {
    const { visit, parts } = dashboard();
    const { page, watched } = await visit('/n/default/add?kind=device', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.getByLabel('Name').fill('phone');
    await page.getByRole('button', { name: 'Add the device' }).click();
    await page.getByRole('img', { name: /QR code/ }).waitFor();
    await page.getByRole('button', { name: 'Copy wg0.conf' }).click();
    const file = await page.evaluate(() => navigator.clipboard.readText());
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: /Download/ }).click();
    expect((await saved).suggestedFilename()).toBe('wg0.conf');

    const [, privateKey] = /^PrivateKey = (\S{44})$/m.exec(file)!;
    [, phone] = /^Address = ([\d.]+)/m.exec(file)! as unknown as [string, string];
    await up(parts.phone, file);
    await waitUntil('the phone to reach laptop', { timeoutMs: REACHED_MS }, () => parts.phone.ping(laptop.ipv4));
    await waitUntil('laptop to reach the phone', { timeoutMs: REACHED_MS }, () => laptop.host.ping(phone));

    await page.getByRole('button', { name: 'phone has it' }).click();
    await page.getByRole('button', { name: 'Forget the private key' }).click();
    await page.getByRole('status').filter({ hasText: 'phone is in the network' }).waitFor();
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByRole('link', { name: 'phone' }).waitFor();
    // The public key shows that requests were recorded with their bodies.
    const { stdout } = await parts.phone.run('wg', ['pubkey'], { input: privateKey! });
    expect(watched.requests.filter((request) => carries(request, stdout.trim()))).not.toEqual([]);
    expect(watched.requests.filter((request) => carries(request, privateKey!))).toEqual([]);
    expect(await keptInBrowser(page)).not.toContain(privateKey);
    await expect.poll(() => page.content()).not.toContain(privateKey);
  });

  it('revokes a node: its edges go from the page, and nobody reaches it any more', async () => {
    const { visit } = dashboard();
    expect(await laptop.host.ping(server.ipv4)).toBe(true);
    const { page: onlooker } = await visit('/n/default/topology?view=table&list=links');
    const links = onlooker.getByRole('row').filter({ hasText: 'server' }).filter({ hasText: 'laptop' });
    await links.first().waitFor();
    const { page } = await visit('/n/default/nodes');
    await page.getByRole('link', { name: 'laptop', exact: true }).click();
    await page.getByRole('button', { name: 'Actions on laptop' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke laptop' }).click();
    await links.first().waitFor({ state: 'detached' });
    await waitUntil('laptop to be unreachable', { timeoutMs: 10_000 }, async () => {
      const pings = [server.host.ping(laptop.ipv4), laptop.host.ping(server.ipv4), laptop.host.ping(phone)];
      return (await Promise.all(pings)).every((answered) => !answered);
    });
    expect((await laptop.process.waitForExit(20_000)).code).toBe(3);
  });
});

async function addHosts(mesh: SiteMesh): Promise<Record<'server' | 'laptop' | 'phone', Host>> {
  const router = async (name: string) => mesh.world.addRouter({ name, nat: HOME.nats[0]!, lan: '192.168.1.0/24' });
  return {
    server: await mesh.addHost('server'),
    laptop: await mesh.addHost('laptop', await router('laptop-nat')),
    phone: await mesh.addHost('phone', await router('phone-nat')),
  };
}

/** Makes a join line on the page, copies it, and runs it on the host. */
async function joinByPage(page: Page, host: Host, name: string, role: 'bounce' | 'client'): Promise<AgentNode> {
  await page.getByLabel('Role').selectOption(role);
  await page.getByRole('button', { name: 'Make the join line' }).click();
  await page.getByRole('button', { name: 'Copy the join line', exact: true }).click();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  // As it is, it would make a service where systemd runs: the harness adds what keeps it in the lab.
  const [, token] = /^agent join --token (\S+)$/.exec(line)!;
  return AgentNode.join(host, { name, token: token! });
}

async function up(host: Host, file: string): Promise<void> {
  const path = join(host.dir, 'wg0.conf');
  writeFileSync(path, file, { mode: 0o600 });
  const { code, stderr } = await host.run('wg-quick', ['up', path], { env: WG_QUICK });
  expect(code, stderr).toBe(0);
}

/** Whether a request has the key in its address, headers or body, in whatever spelling. */
function carries(request: Request, key: string): boolean {
  const bytes = Buffer.from(key, 'base64');
  const spellings = [key, encodeURIComponent(key), bytes.toString('base64url'), bytes.toString('hex')];
  const sent = [request.url(), JSON.stringify(request.headers()), request.postData() ?? ''].join('\n');
  return spellings.some((text) => sent.includes(text)) || (request.postDataBuffer()?.includes(bytes) ?? false);
}

/** Everything that stays in the browser when the page is closed, as text. */
const keptInBrowser = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const kept = [{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, databases];
    return JSON.stringify(kept);
  });
