import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@warren/netlab';
import type { Page } from 'playwright-core';
import { it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { waitForView } from './support/page-state.js';
import { populateShowcase, type Showcase } from './support/showcase.js';
import { useDashboard } from './support/use-dashboard.js';
import { STRANGERS_VIEWS, type View, views } from './support/views.js';

/** `npm run screenshots`, or with names of views: `npm run screenshots -- nodes topology`. */
const wanted = (process.env.WARREN_SCREENSHOTS ?? '').split(' ').filter((name) => name !== '' && name !== 'all');
const FOLDER = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
const MINUTE = 60_000;

/** Each picture of a new device needs another one: private keys are made in the page and shown once. */
const devices = ['tablet', 'camera', 'printer', 'router'];

interface Picture extends View {
  readonly stranger?: boolean;
  /** What is done before it is taken. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

describeBrowser('screenshots', ['wireguard-go', 'wg', 'wg-quick'], () => {
  const dashboard = useDashboard<Showcase>({ name: 'pictures', populate: populateShowcase });

  it('of every view, dark and light, desktop and phone', { timeout: 30 * MINUTE }, async () => {
    const { mesh, parts } = dashboard();
    mkdirSync(FOLDER, { recursive: true });
    const link = /\/welcome#\S+/.exec(await mesh.control.warrenOutput(['admin', 'link']))![0];
    for (const picture of picturesOf(parts, link)) {
      if (wanted.length > 0 && !wanted.includes(picture.name)) continue;
      for (const theme of ['light', 'dark'] as const)
        for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) await take(picture, theme, size);
    }
  });

  async function take(picture: Picture, colorScheme: 'light' | 'dark', size: keyof typeof SIZES): Promise<void> {
    const { path, heading, stranger = false, prepare, name } = picture;
    const { page, watched } = await dashboard().visit(path, {
      ...{ stranger, colorScheme, viewport: SIZES[size], reducedMotion: 'reduce', isMobile: size === 'phone' },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await waitForView(page, heading);
    await prepare?.(page);
    await waitUntilStill(page);
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${size}.png`) });
    await watched.close();
  }
});

/** Two looks at the same: a layout has settled. What never rests is taken as it is. */
async function waitUntilStill(page: Page): Promise<void> {
  let before: Buffer | undefined;
  let looks = 0;
  await waitUntil('the page to rest', { timeoutMs: MINUTE, intervalMs: 400 }, async () => {
    const now = await page.screenshot();
    const still = before?.equals(now) || ++looks >= 12;
    before = now;
    return still;
  });
}

const picturesOf = ({ node, peer }: Showcase, link: string): Picture[] => [
  ...views(node.id, peer.id),
  { name: 'node-paths', path: `/n/default/nodes/${peer.id}?tab=paths`, heading: peer.name },
  { name: 'node-conf', path: `/n/default/nodes/${peer.id}?tab=conf`, heading: peer.name },
  { name: 'topology-paths', path: '/n/default/topology?view=table&list=links', heading: 'Topology' },
  {
    ...{ name: 'add-agent-line', path: '/n/default/add', heading: 'Add a peer' },
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Make the join line' }).click();
      await page.getByText('Waiting for the host').waitFor();
    },
  },
  {
    ...{ name: 'add-device-code', path: '/n/default/add?kind=device', heading: 'Add a peer' },
    prepare: async (page) => {
      await page.getByLabel('Name').fill(devices.shift()!);
      await page.getByRole('button', { name: 'Add the device' }).click();
      await page.getByRole('img', { name: /QR code/ }).waitFor();
    },
  },
  {
    ...{ name: 'palette', path: '/n/default/nodes', heading: 'Nodes' },
    prepare: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    ...{ name: 'revoke', path: `/n/default/nodes/${node.id}`, heading: node.name },
    prepare: async (page) => {
      await page.getByRole('button', { name: /^Actions on/ }).click();
      await page.getByRole('menuitem', { name: 'Revoke' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  { ...STRANGERS_VIEWS[0]!, stranger: true },
  { name: 'welcome', path: link, heading: 'Welcome', stranger: true },
];
