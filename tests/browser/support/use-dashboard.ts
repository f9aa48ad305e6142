import { SiteMesh, type SiteMeshOptions } from '@warren/netlab';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, onTestFailed } from 'vitest';
import { launchChromium } from './chromium.js';
import { spendLink } from './sign-in.js';
import { WatchedContext } from './watched-context.js';

const START_MS = 240_000;

type StorageState = NonNullable<BrowserContextOptions['storageState']>;

export interface VisitOptions extends BrowserContextOptions {
  /** Nobody is signed in. */
  readonly stranger?: boolean;
}

/** A control plane with its page, agents, and a Chromium beside it. */
export interface Dashboard {
  readonly mesh: SiteMesh;
  readonly browser: Browser;
  /** One more person's browser, at the first page; signed in unless said. */
  visit(path: string, options?: VisitOptions): Promise<{ page: Page; watched: WatchedContext }>;
  /** Later visits come with this session. */
  signedInAs(state: StorageState): void;
}

export interface DashboardOptions<T> extends SiteMeshOptions {
  /** What is there before anybody looks. */
  readonly populate?: (mesh: SiteMesh) => Promise<T>;
  /** Leaves the printed link to the tests. */
  readonly unused?: boolean;
}

/**
 * Starts all of it for the tests of the surrounding group. After each test no page may have asked another origin, hurt its
 * policy or complained on its console; a test that fails shows what the programs have printed.
 */
export function useDashboard<T = undefined>(options: DashboardOptions<T>): () => Dashboard & { readonly parts: T } {
  let mesh: SiteMesh | undefined;
  let browser: Browser | undefined;
  let parts: T | undefined;
  let signedIn: StorageState | undefined;
  const open = new Set<WatchedContext>();

  beforeAll(async () => {
    mesh = await SiteMesh.start(options);
    try {
      [browser, parts] = await Promise.all([launchChromium(mesh.control.host), options.populate?.(mesh)]);
      if (options.unused) return;
      const first = await WatchedContext.open(browser);
      await spendLink(await first.context.newPage(), await printedLink(mesh));
      signedIn = await first.context.storageState();
      await first.close();
      expect(first.takeComplaints()).toEqual([]);
    } catch (error) {
      console.error(mesh.lastWords());
      throw error;
    }
  }, START_MS);

  afterEach(async () => {
    const complaints: string[] = [];
    for (const watched of open) {
      await watched.close();
      complaints.push(...watched.takeComplaints());
    }
    open.clear();
    expect(complaints).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await mesh?.close();
  }, 60_000);

  return () => {
    const running = mesh;
    const chromium = browser;
    if (!running || !chromium) throw new Error('the dashboard is there in tests only');
    onTestFailed(() => console.error(running.lastWords()));
    const visit: Dashboard['visit'] = async (path, { stranger, ...context } = {}) => {
      const cookies = stranger || signedIn === undefined ? {} : { storageState: signedIn };
      const watched = await WatchedContext.open(chromium, { ...cookies, ...context });
      open.add(watched);
      const page = await watched.context.newPage();
      await page.goto(path);
      return { page, watched };
    };
    const signedInAs = (state: StorageState): void => {
      signedIn = state;
    };
    return { mesh: running, browser: chromium, visit, signedInAs, parts: parts as T };
  };
}

/** The address that `warren serve` prints while no password is set. */
export async function printedLink(mesh: SiteMesh): Promise<string> {
  const [link] = await mesh.control.process.waitForOutput(/http:\/\/\S+\/welcome#warrenlink_[\w-]+/, 20_000);
  return link!;
}
