/** The console of a running local server with 100,000 points, and pages of it in a real browser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { StartedServer } from '../support/started-server';
import { missingBrowser, startBrowser, WatchedPage } from './browser';

export const DATABASE = 'influxdb-line-protocol';
export const MANY = 100_000;
const BATCH = 5_000;

export class ServedConsole {
  private readonly pages: WatchedPage[] = [];

  private constructor(
    readonly server: StartedServer,
    private readonly browser: Browser,
    /** For files; the server has its cache in it. */
    readonly folder: string,
  ) {}

  static async start(): Promise<ServedConsole> {
    const folder = await mkdtemp(path.join(tmpdir(), 'console-'));
    const server = await StartedServer.start([], { XDG_CACHE_HOME: folder });
    try {
      await writeMany(server);
      return new ServedConsole(server, await startBrowser(), folder);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Commands with it leave their progress where the server reads it. */
  get environment(): { readonly XDG_CACHE_HOME: string } {
    return { XDG_CACHE_HOME: this.folder };
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
    await rm(this.folder, { recursive: true });
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
  for (let from = 0; from < MANY; from += BATCH) {
    const batch = lines.slice(from, from + BATCH);
    let status = await server.write(batch);
    // A busy machine: clients send the same lines again.
    while (status === 503) status = await server.write(batch);
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
    afterAll(() => served?.stop());
  }
  return current;
}

/** Runs a statement in the panel Data, and returns once its result is shown. */
export async function runSql(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: /^SQL statement/ }).fill(sql);
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.getByText(/^\d[\d,]* rows? in /).waitFor();
}

/** CodeMirror ignores keys in the first 75 ms of a list of completions, as the user may mean the text. */
const INTERACTION_DELAY_MS = 75;

/** Accepts the selected completion with the keyboard. @param name of the completion */
export async function acceptCompletion(page: Page, name: RegExp): Promise<void> {
  await page.getByRole('option', { name, selected: true }).waitFor();
  await setTimeout(INTERACTION_DELAY_MS + 25);
  await page.keyboard.press('Enter');
}
