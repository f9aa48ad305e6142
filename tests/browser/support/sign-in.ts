import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';

/** Another one in each run: nothing of a test is a secret anywhere. */
export const PASSWORD = `correct horse ${randomBytes(6).toString('hex')}`;

/** Spends a one-time link without looking at the page that does so for people. The browser is signed in then. */
export async function spendLink(page: Page, link: string, password = PASSWORD): Promise<void> {
  await page.goto('/sign-in');
  const body = JSON.stringify({ link: link.slice(link.indexOf('#') + 1), password });
  const status = await page.evaluate(async (sent) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/api/v1/session/link', { method: 'POST', headers, body: sent })).status;
  }, body);
  if (status !== 200) throw new Error(`the link was answered with ${status}`);
}

/** Opens the one-time link and sends a password. */
export async function setPassword(page: Page, link: string, password = PASSWORD): Promise<void> {
  await page.goto(link);
  await page.getByLabel('New password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
}

/** Fills in the form of the sign-in page and sends it. */
export async function submitSignIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export const waitUntilSignedIn = (page: Page): Promise<void> =>
  page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' });

/** As a click on a link of the navigation does: without loading the page anew. */
export async function openView(page: Page, path: string): Promise<void> {
  await page.locator(`nav a[href="${path}"]`).click();
}
