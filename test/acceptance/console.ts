/** The console of a running local server with 100,000 points, and pages of it in a real browser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { StartedServer } from '../support/started-server';
import { missingBrowser, startBrowser, WatchedPage } from './browser';

export const DATABASE = 'influxdb-line-protocol';
export const MANY = 100_000;

export class ServedConsole {
  private readonly pages: WatchedPage[] = [];

  private constructor(
    readonly server: StartedServer,
    private readonly browser: Browser,
    /** Of the progress of loads; the server and programs must share it. */
    readonly environment: { readonly XDG_CACHE_HOME: string },
  ) {}

  static async start(): Promise<ServedConsole> {
    const environment = { XDG_CACHE_HOME: await mkdtemp(path.join(tmpdir(), 'console-')) };
    const server = await StartedServer.start([], environment);
    await writeMany(server);
    return new ServedConsole(server, await startBrowser(), environment);
  }

  get url(): string {
    return this.server.url;
  }

  async openWatched(hash: string, options: BrowserContextOptions = {}, url = this.url): Promise<WatchedPage> {
    const watched = await WatchedPage.open(this.browser, `${url}/${hash}`, options);
    this.pages.push(watched);
    return watched;
  }

  async open(hash: string, options: BrowserContextOptions = {}, url = this.url): Promise<Page> {
    return (await this.openWatched(hash, options, url)).page;
  }

  /** Closes all pages. Returns what no page may have: violations of the policy, errors, and requests to other hosts. */
  async closePages(): Promise<string[]> {
    const closed = this.pages.splice(0).map(async (watched) => {
      const faults = await watched.faults();
      await watched.close();
      return faults;
    });
    return (await Promise.all(closed)).flat();
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    await rm(this.environment.XDG_CACHE_HOME, { recursive: true });
  }
}

/** A wave of each of four cities, with a point every 300 ms up to now. */
async function writeMany(server: StartedServer): Promise<void> {
  const now = Date.now();
  const cities = ['Braga', 'Faro', 'Lisbon', 'Porto'];
  const lines = Array.from({ length: MANY }, (_, index) => {
    const temperature = 20 + 5 * Math.sin(index / 3_000) + (index % cities.length);
    return `weather,city=${cities[index % cities.length]} temperature=${temperature},sky="clear, ${index % 7}" ${now - index * 300}`;
  });
  for (let from = 0; from < MANY; from += 20_000) {
    const status = await server.write(lines.slice(from, from + 20_000));
    if (status !== 204) throw new Error(`the write returned ${status}`);
  }
}

/** Serves the console for the tests of a file, and verifies after each one that its pages had no faults. */
export function useConsole(): () => ServedConsole {
  let served: ServedConsole | undefined;
  const current = (): ServedConsole => {
    if (served === undefined) throw new Error('the console is served during tests only');
    return served;
  };
  if (missingBrowser === undefined) {
    beforeAll(async () => {
      served = await ServedConsole.start();
    });
    afterEach(async () => expect(await current().closePages()).toEqual([]));
    afterAll(() => current().stop());
  }
  return current;
}

/** Runs a statement in the panel Data, and returns once its result is shown. */
export async function runSql(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: /^SQL statement/ }).fill(sql);
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.getByText(/^\d[\d,]* rows? in /).waitFor();
}
