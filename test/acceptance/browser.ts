/** A real Chromium, whose pages are watched: requests, violations of the content security policy, errors and long tasks. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];
const PROGRAM = CANDIDATES.find((path) => path !== undefined && existsSync(path));

/** Why there is no browser, and what to do. */
export const missingBrowser =
  PROGRAM === undefined ? 'no Chromium: install the package chromium, or set CHROMIUM to the program' : undefined;

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PROGRAM ?? '',
    args: ['--no-sandbox', '--disable-background-networking'],
  });

/** Runs in the page before its own code. */
const WATCH = `
  globalThis.violations = [];
  globalThis.longTasks = [];
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
    violations.push([violatedDirective, blockedURI, sourceFile].join(' ')));
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask', buffered: true });
`;

export class WatchedPage {
  readonly requested: string[] = [];
  readonly errors: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly host: string,
  ) {}

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const watched = new WatchedPage(page, new URL(url).host);
    await page.addInitScript(WATCH);
    context.on('request', (request) => watched.requested.push(request.url()));
    page.on('pageerror', (error) => watched.errors.push(error.message));
    // Also those of workers, which have no event in the page.
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) watched.errors.push(message.text());
    });
    await page.goto(url);
    return watched;
  }

  /** Violations of the policy, uncaught errors, and requests to other hosts. */
  async faults(): Promise<string[]> {
    const violations = await this.page.evaluate<string[]>('violations');
    const foreign = this.requested.filter((url) => !/^(?:data|blob):/.test(url) && new URL(url).host !== this.host);
    return [...violations, ...this.errors, ...foreign];
  }

  /** The longest task on the page's thread since the last call, ms; 0 if none took 50 ms or more. */
  async longestTask(): Promise<number> {
    return await this.page.evaluate<number>('Math.max(0, ...longTasks.splice(0))');
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
