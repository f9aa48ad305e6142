import { WarrenError } from '@warren/base';
import { CHROMIUM_FLAGS, chromiumProgram } from '@warren/netlab';
import { type Browser, chromium, type Page } from 'playwright-core';

const VIEWPORT = { width: 1_280, height: 800 };
const PATIENCE_MS = 120_000;
/** The layout has come to rest by then. */
const SETTLES_MS = 15_000;

/** Milliseconds, since the navigation began or of a frame. */
export interface PageFigures {
  /** Anything at all. */
  readonly contentMs: number;
  /** The graph for the first time. */
  readonly graphMs: number;
  /** The main thread is free from then on: no task over 50 ms for half a second. */
  readonly interactiveMs: number;
  readonly panMedianMs: number;
  readonly panP95Ms: number;
}

/** @throws WarrenError `chromium-missing`. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumProgram();
  if (executablePath === undefined) {
    throw new WarrenError(
      'chromium-missing',
      'chromium is not installed: apt-get install chromium, or name it in CHROMIUM',
    );
  }
  return chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

/** Opens the topology as a first visit, and pans it. */
export async function measurePage(browser: Browser, url: string): Promise<PageFigures> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(WATCH_TASKS);
    await page.goto(url);
    await page.waitForFunction("performance.getEntriesByName('warren:graph-painted').length > 0");
    await page.waitForTimeout(SETTLES_MS);
    const load = (await page.evaluate(READ_LOAD)) as Omit<PageFigures, 'panMedianMs' | 'panP95Ms'>;
    return { ...load, ...(await pan(page)) };
  } finally {
    await context.close();
  }
}

async function pan(page: Page): Promise<Pick<PageFigures, 'panMedianMs' | 'panP95Ms'>> {
  const frames = (await page.evaluate(PAN)) as number[];
  const sorted = frames.toSorted((a, b) => a - b);
  return { panMedianMs: sorted[sorted.length >> 1]!, panP95Ms: sorted[Math.ceil(sorted.length * 0.95) - 1]! };
}

const WATCH_TASKS = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push([startTime, startTime + duration]);
  }).observe({ type: 'longtask', buffered: true });`;

const READ_LOAD = `(() => {
  const contentMs = performance.getEntriesByName('first-contentful-paint')[0].startTime;
  const graphMs = performance.getEntriesByName('warren:graph-painted')[0].startTime;
  let interactiveMs = Math.max(contentMs, graphMs);
  for (const [start, end] of longTasks) if (start < interactiveMs + 500) interactiveMs = Math.max(interactiveMs, end);
  return { contentMs, graphMs, interactiveMs };
})()`;

/** A hand that moves the view in circles, one move a frame; the times between frames. */
const PAN = `(async () => {
  const graph = document.querySelector('[role=application]');
  const { left, top } = graph.getBoundingClientRect();
  // A pointer that nobody holds cannot be captured.
  graph.setPointerCapture = () => undefined;
  const send = (type, x, y) => graph.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, pointerType: 'mouse', button: type === 'pointermove' ? -1 : 0,
    clientX: left + x, clientY: top + y,
  }));
  const frames = [];
  // At the upper edge there is never a node.
  send('pointerdown', 500, 8);
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < 120; i++) {
    send('pointermove', 500 + Math.sin(i / 9) * 200, 60 + Math.cos(i / 13) * 120);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  send('pointerup', 500, 60);
  return frames;
})()`;
