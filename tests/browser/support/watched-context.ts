import type { Browser, BrowserContext, BrowserContextOptions, ConsoleMessage, Request } from 'playwright-core';

/** Where the control plane serves the page, on its own host. */
export const ORIGIN = 'http://127.0.0.1:8080';

/** A status that Chromium reports on its console whoever handles it, as an error. */
const REFUSAL = /^Failed to load resource: .*status of (\d+)/;

/** One person's browser: cookies of its own, and a record of all that must not happen on a page. */
export class WatchedContext {
  /** Requests to other origins, violations of the policy, console errors, exceptions. */
  readonly complaints: string[] = [];
  /** All that was requested, with bodies. */
  readonly requests: Request[] = [];
  private tolerated: RegExp[] = [];

  private constructor(readonly context: BrowserContext) {}

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedContext> {
    const context = await browser.newContext({
      baseURL: ORIGIN,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      ...options,
    });
    context.setDefaultTimeout(15_000);
    const watched = new WatchedContext(context);
    await watched.listen();
    return watched;
  }

  /** From now until `takeComplaints`: a complaint that matches is what the test is about. */
  tolerate(...patterns: RegExp[]): void {
    this.tolerated.push(...patterns);
  }

  /** What has been complained about and not tolerated; forgotten with that. */
  takeComplaints(): string[] {
    const found = this.complaints.splice(0).filter((text) => !this.tolerated.some((pattern) => pattern.test(text)));
    this.tolerated = [];
    return found;
  }

  close(): Promise<void> {
    return this.context.close();
  }

  private async listen(): Promise<void> {
    this.context.on('request', (request) => this.look(request));
    this.context.on('console', (message) => this.hear(message));
    this.context.on('weberror', (error) => this.complaints.push(`exception: ${error.error().stack}`));
    await this.context.exposeBinding('tellViolation', (_source, text: string) => {
      this.complaints.push(`content security policy: ${text}`);
    });
    await this.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) => {
        const { tellViolation } = window as unknown as { tellViolation: (text: string) => void };
        tellViolation(`${effectiveDirective} forbids ${blockedURI} of ${sourceFile}`);
      });
    });
  }

  private look(request: Request): void {
    this.requests.push(request);
    const { protocol, origin } = new URL(request.url());
    if (protocol === 'data:' || protocol === 'blob:' || origin === ORIGIN) return;
    this.complaints.push(`another origin: ${request.method()} ${request.url()}`);
  }

  private hear(message: ConsoleMessage): void {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const { url } = message.location();
    const status = REFUSAL.exec(message.text())?.[1];
    // Whether somebody is signed in can be asked only of this: no is an answer.
    if (status === '401' && new URL(url).pathname === '/api/v1/session') return;
    this.complaints.push(status ? `${status} from ${url}` : `console: ${message.text()} (${url})`);
  }
}
