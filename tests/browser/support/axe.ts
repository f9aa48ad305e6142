import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe may judge: WCAG 2.2 A and AA, and what its authors call good practice. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Rules that the page breaks, each with the elements; axe comes by the debugger, so the page's policy stays as it is. */
export async function axeViolations(page: Page): Promise<string[]> {
  // Anew each time: it remembers backgrounds, and with them the colours of another theme.
  await page.evaluate(axe.source);
  return page.evaluate(async (tags) => {
    const { axe: ours } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await ours.run(document, {
      runOnly: { type: 'tag', values: tags },
      resultTypes: ['violations'],
    });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 300)} ${failureSummary ?? ''}`),
    );
  }, TAGS);
}
