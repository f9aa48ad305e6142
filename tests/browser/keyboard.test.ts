import { SITE_KINDS } from '@warren/netlab';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { focusIsVisible, tabTo } from './support/keyboard.js';
import { PASSWORD, waitUntilSignedIn } from './support/sign-in.js';
import { useDashboard } from './support/use-dashboard.js';

describeBrowser('by keyboard alone', [], () => {
  const dashboard = useDashboard({
    name: 'keyboard',
    populate: (mesh) => mesh.join({ name: 'barn', at: SITE_KINDS[0], role: 'bounce' }),
  });

  it('one signs in, goes to a view by the palette, makes a join line, renames and revokes, and signs out', async () => {
    const { page } = await dashboard().visit('/sign-in', { stranger: true });
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await waitUntilSignedIn(page);
    await page.waitForURL('**/topology');

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find or do' }).waitFor();
    await page.keyboard.type('add a peer');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/add');
    const make = page.getByRole('button', { name: 'Make the join line' });
    await tabTo(page, make);
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: 'Copy the join line', exact: true }));

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find or do' }).waitFor();
    await page.keyboard.type('barn');
    await page.getByRole('option', { name: /^barn/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'barn' }).waitFor();
    await tabTo(page, page.getByRole('button', { name: 'Rename' }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('dialog').getByLabel('Name'));
    await page.keyboard.press('Control+a');
    await page.keyboard.type('gateway');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'gateway' }).waitFor();

    await tabTo(page, page.getByRole('button', { name: 'Actions on gateway' }));
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Revoke' }).waitFor();
    await page.keyboard.press('End');
    await expect.poll(() => focused(page)).toBe('Delete');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => focused(page)).toBe('Revoke');
    await page.keyboard.press('Enter');
    // Many depend on a bounce: its name has to be typed.
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Revoke gateway' }).isDisabled()).toBe(true);
    await tabTo(page, dialog.getByLabel(/to confirm/));
    await page.keyboard.type('gateway');
    await page.keyboard.press('Enter');
    await page.getByText('Revoked', { exact: true }).first().waitFor();

    await expect.poll(() => focused(page)).toBe('Actions');
    await tabTo(page, page.getByRole('button', { name: 'Sign out' }));
    await page.keyboard.press('Enter');
    await page.waitForURL('**/sign-in');
  });

  it('the first step of Tab skips the navigation, and a closed dialog gives the focus back', async () => {
    const { page } = await dashboard().visit('/networks');
    await page.getByRole('heading', { level: 1, name: 'Networks' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to content');
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => location.hash)).toBe('#main');
    const create = page.getByRole('button', { name: 'Create network' });
    await tabTo(page, create);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => create.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

/** What is written on the element that has the focus. */
const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.textContent);
