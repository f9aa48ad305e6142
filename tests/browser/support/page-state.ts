import type { Page } from 'playwright-core';

/** Waits until the view is there and nothing of it is being loaded. */
export async function waitForView(page: Page, heading: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.waitForFunction(() => document.querySelector('.animate-pulse') === null);
}

/** How far the page can be scrolled sideways, CSS pixels. */
export const sidewaysScroll = (page: Page): Promise<number> =>
  page.evaluate(() => {
    scrollTo(1_000, scrollY);
    const far = scrollX;
    scrollTo(0, scrollY);
    return far;
  });

/** Elements that stick out of the window and are within nothing that scrolls by itself: what to look at first. */
export const whatSticksOut = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const scrolls = (element: Element): boolean => {
      for (let at = element.parentElement; at; at = at.parentElement)
        if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX)) return true;
      return false;
    };
    return [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5 && !scrolls(element))
      .map((element) => element.outerHTML.slice(0, 160));
  });
