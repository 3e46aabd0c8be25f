/**
 * The console of `npm start` in a real browser: each panel shows what clients wrote to the running server, the page is usable with the
 * keyboard and with a screen reader, and loads nothing from other hosts.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { missingBrowser } from './browser';
import { acceptCompletion, DATABASE, MANY, runSql, useConsole } from './console';
import { describeProof } from './report';

const run = promisify(execFile);

const served = useConsole();

const link = (parameters: Readonly<Record<string, string>>): string =>
  `#data?${new URLSearchParams(parameters).toString()}`;

const PROGRAM = path.join(__dirname, '../../bin/influxdb-timestream.mjs');

/** Runs the command line, whose runs the console shows. @throws Error if it fails */
const command = (...args: readonly string[]) =>
  run(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...served().environment } });

/** Writes with the curl command of the README. Returns the status. */
async function curl(lines: string): Promise<string> {
  const target = `${served().url}/api/v2/write?precision=s`;
  const { stdout } = await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', target, '--data-binary', lines]);
  return stdout;
}

/** Runs the work, and returns how many responses of the path the page received until the text was shown. */
async function responsesUntil(page: Page, path: string, work: () => Promise<unknown>, shown: Locator): Promise<number> {
  let responses = 0;
  await work();
  page.on('response', (response) => {
    if (new URL(response.url()).pathname === path) responses += 1;
  });
  await shown.waitFor();
  return responses;
}

const figure = (page: Page, name: string): Locator => page.locator('.figure', { hasText: name }).locator('dd');

describeProof('Chromium, curl and the server of `npm start`', missingBrowser, () => {
  test('Overview and Data show a point that curl wrote with the second request after it at most; requests are a second apart', async () => {
    const overview = await served().open('#overview');
    const stored = figure(overview, 'Points stored');
    await overview.getByRole('link', { name: 'weather' }).waitFor();
    const before = Number((await stored.textContent())?.replaceAll(',', ''));
    const inOverview = await responsesUntil(
      overview,
      '/console/api/overview',
      () => curl('weather,city=Evora temperature=31.25'),
      overview.locator('.figure', { hasText: (before + 1).toLocaleString('en') }),
    );
    const data = await served().open(link({ database: DATABASE, table: 'weather' }));
    await data.getByRole('region', { name: /^Newest rows of weather/ }).waitFor();
    const inData = await responsesUntil(
      data,
      '/console/api/table',
      () => curl('weather,city=Fatima temperature=31.25'),
      data.getByRole('cell', { name: 'Fatima' }),
    );
    expect([inOverview, inData].filter((responses) => responses > 2)).toEqual([]);
    await overview
      .getByRole('row', { name: new RegExp(`^weather ${DATABASE} ${(MANY + 2).toLocaleString('en')}`) })
      .waitFor();
  });

  test('Overview shows requests by status, latency, invalid and rejected lines, and the size of each table', async () => {
    const page = await served().open('#overview');
    expect(await curl('weather,city=Porto temperature=\nweather temperature=1')).toBe('400');
    await page.getByRole('row', { name: /400 invalid \d/ }).waitFor();
    await page.getByRole('row', { name: new RegExp(`^weather ${DATABASE} 100,0`) }).waitFor();
    await page.getByRole('row', { name: /204 stored \d/ }).waitFor();
    expect(Number(await figure(page, 'Invalid lines').textContent())).toBeGreaterThan(0);
    expect(Number(await figure(page, 'Rejected lines').textContent())).toBeGreaterThan(0);
    await expect(figure(page, 'Latency p50').textContent()).resolves.toMatch(/^[\d.]+ m?s$/);
    await page.getByRole('img', { name: /^Points a second/ }).waitFor();
  });

  test('Data shows the columns of a table with their roles and types, and its newest rows', async () => {
    const page = await served().open('#data');
    await page.getByRole('link', { name: /^weather 100,0/ }).click();
    const newest = page.getByRole('region', { name: 'Newest rows of weather, 50 rows' });
    await newest.waitFor();
    const headers = await newest.getByRole('columnheader').allTextContents();
    expect(headers.sort()).toEqual([
      'city dimension, VARCHAR',
      'measure_name measure name, VARCHAR',
      'sky measure, VARCHAR',
      'temperature measure, DOUBLE',
      'time time, TIMESTAMP',
    ]);
  });

  test('Data repeats no request in Amazon Timestream, which bills them, until the user refreshes it', async () => {
    const page = await served().open('#writes');
    const counts = { databases: 0, table: 0 };
    await page.route('**/console/api/databases', async (route) => {
      counts.databases++;
      await route.fulfill({
        json: { databases: [{ database: DATABASE, tables: [{ table: 'weather', records: null }] }] },
      });
    });
    await page.route('**/console/api/table?*', async (route) => {
      counts.table++;
      await route.continue();
    });
    await page.clock.install();
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByRole('link', { name: 'weather', exact: true }).click();
    const newest = page.getByRole('region', { name: /^Newest rows of weather/ });
    await newest.waitFor();
    await page.clock.runFor(60_000);
    expect(counts).toEqual({ databases: 1, table: 1 });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await newest.waitFor();
    await page.clock.runFor(60_000);
    expect(counts).toEqual({ databases: 2, table: 2 });
  });

  test('Data names the URL of InfluxDB and has no editor if the points are in InfluxDB alone', async () => {
    const page = await served().open('#writes');
    const url = 'http://influxdb.example:8086';
    await page.route('**/console/api/databases', (route) =>
      route.fulfill({ json: { destination: 'influxdb', url, influxdbUrl: url, databases: [] } }),
    );
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByText(`The points are in InfluxDB at ${url}: query them there.`).waitFor();
    expect(await page.getByRole('textbox').count()).toBe(0);
  });

  test('a result is shown as a table and as a chart with a series per tag set, and is downloaded as CSV', async () => {
    const page = await served().open('#data');
    await runSql(
      page,
      `SELECT bin(time, 1h) AS hour, city, avg(temperature) AS average, count(*) AS points FROM "${DATABASE}"."weather" WHERE city IN ('Braga', 'Faro', 'Lisbon', 'Porto') GROUP BY bin(time, 1h), city ORDER BY city, hour`,
    );
    const result = page.getByRole('region', { name: /^Result, / });
    await result.getByRole('cell', { name: 'Braga' }).first().waitFor();

    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const csv = await readFile(await (await downloading).path(), 'utf8');
    const [header, first] = csv.split('\r\n');
    expect(header).toBe('hour,city,average,points');
    expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:00:00\.0{9},Braga,[\d.]+,\d+$/);

    await page.getByRole('radio', { name: 'Chart' }).check();
    await page.getByRole('img', { name: /^Line chart/ }).waitFor();
    const boxes = await page.getByRole('group', { name: 'Series shown' }).getByRole('checkbox').all();
    // Four cities, two columns of numbers.
    expect(boxes).toHaveLength(8);
    expect(await drawnPixels(page)).toBeGreaterThan(100);
    for (const box of boxes) await box.uncheck();
    expect(await drawnPixels(page)).toBe(0);
  });

  test('a chart draws the only value of a series, and series of one colour have other strokes', async () => {
    const page = await served().open('#data');
    const lines = Array.from(
      { length: 10 },
      (_, index) => `single,n=${index} v=${index} ${Math.floor(Date.now() / 1000)}`,
    );
    expect(await curl([...lines, 'weather,city=Alone temperature=7'].join('\n'))).toBe('204');
    await runSql(
      page,
      `SELECT time, city, temperature FROM "${DATABASE}"."weather" WHERE city = 'Alone' OR (city = 'Faro' AND time > ago(20m))`,
    );
    await page.getByRole('radio', { name: 'Chart' }).check();
    await page.getByRole('img', { name: /^Line chart/ }).waitFor();
    await page.getByRole('checkbox', { name: /Faro/ }).uncheck();
    expect(await drawnPixels(page)).toBeGreaterThan(0);

    await runSql(page, `SELECT time, n, v FROM "${DATABASE}"."single"`);
    await page.getByRole('checkbox', { name: 'n=9' }).waitFor();
    const looks = `[...document.querySelectorAll('.legend .swatch')].map(getComputedStyle).map((look) => look.color + look.backgroundImage)`;
    expect(new Set(await page.evaluate<string[]>(looks)).size).toBe(10);
  });

  test('the message of Timestream is shown for a wrong statement', async () => {
    const page = await served().open('#data');
    await page.getByRole('textbox', { name: /^SQL statement/ }).fill(`SELECT nothing FROM "${DATABASE}"."weather"`);
    await page.getByRole('button', { name: /^Run/ }).click();
    await expect(page.getByRole('alert').textContent()).resolves.toMatch(/nothing/);
  });

  test('a link holds panel, statement and view, and does not run the statement by itself', async () => {
    const page = await served().open('#data');
    const sql = `SELECT city, time, temperature FROM "${DATABASE}"."weather" LIMIT 17`;
    await runSql(page, sql);
    await page.getByRole('radio', { name: 'Chart' }).check();
    const opened = await served().open(new URL(page.url()).hash);
    await opened.getByText('LIMIT 17').waitFor();
    expect(await opened.getByText(/rows in /).count()).toBe(0);
    await opened.getByRole('button', { name: /^Run/ }).click();
    await opened.getByText(/^17 rows in /).waitFor();
    await opened.getByRole('img', { name: /^Line chart/ }).waitFor();
  });

  test('statements stay in the history after a reload', async () => {
    const page = await served().open('#data');
    await runSql(page, 'SELECT 1 AS one');
    await runSql(page, 'SELECT 2 AS two');
    await page.goto(`${served().url}/#data`);
    await page.reload();
    await page.getByText('History', { exact: true }).click();
    await page.getByRole('button', { name: 'SELECT 1 AS one' }).click();
    await expect(page.getByRole('textbox', { name: /^SQL statement/ }).textContent()).resolves.toBe('SELECT 1 AS one');
  });

  test('the editor completes databases, tables and columns', async () => {
    const page = await served().open(link({ database: DATABASE, table: 'weather' }));
    await page.getByRole('region', { name: /^Newest rows of weather/ }).waitFor();
    const editor = page.getByRole('textbox', { name: /^SQL statement/ });
    await editor.fill('SELECT ');
    await editor.press('End');
    await page.keyboard.type('* FROM weat');
    await page.getByRole('option', { name: /^weather/ }).click();
    await expect(editor.textContent()).resolves.toBe(`SELECT * FROM "${DATABASE}"."weather"`);
    await page.keyboard.type(' WHERE tempe');
    await acceptCompletion(page, /^temperature/);
    await expect(editor.textContent()).resolves.toMatch(/WHERE temperature$/);
    await editor.fill('SELECT * FROM ');
    await editor.press('End');
    await page.keyboard.type('"influ');
    await page.getByRole('option', { name: DATABASE }).waitFor();
  });

  test('Writes shows a request of curl with each refused line and its reason', async () => {
    const page = await served().open('#writes');
    const text = `weather,city=Sintra temperature=12i3`;
    expect(await curl(`weather,city=Sintra temperature=1\n${text}`)).toBe('400');
    const request = page.locator('.writes li', { hasText: /2 lines 1 stored 1 refused .*curl\// });
    await request.getByText('400 invalid lines').waitFor();
    await request.locator('summary').click();
    const line = request.getByRole('row').nth(1);
    await expect(line.textContent()).resolves.toMatch(/^2.*at line 2:\d+.*temperature=12i3/s);
  });

  test('Writes says what a 400 is about, and a long user agent leaves its row as high as the others', async () => {
    const page = await served().open('#writes');
    const target = `${served().url}/api/v2/write`;
    await fetch(`${target}?precision=nope`, { method: 'POST', body: 'm,a=b v=1', headers: { 'User-Agent': 'short' } });
    await fetch(target, { method: 'POST', body: 'm,a=b v=', headers: { 'User-Agent': 'x'.repeat(200) } });
    const [long, short] = [/400 invalid lines.*x{100}/, /400 invalid request.*short/].map((hasText) =>
      page.locator('.writes li', { hasText }).first(),
    );
    await long?.waitFor();
    expect((await long?.boundingBox())?.height).toBe((await short?.boundingBox())?.height);
  });

  test('line protocol can be tried: what becomes of each line, without storing it, and after sending it', async () => {
    const page = await served().open('#writes');
    const table = `tried${Date.now()}`;
    await page
      .getByRole('textbox', { name: 'Lines' })
      .fill(`${table},city=Faro temperature=1\n${table},city=Faro temperature=`);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('Nothing was sent. 1 line would be stored, 1 line refused. Not checked: retention').waitFor();
    await page.getByRole('row', { name: new RegExp(`would be stored in ${table}`) }).waitFor();
    await page.getByText('Record', { exact: true }).click();
    await page.getByText('"MeasureValues"').waitFor();

    await page.goto(`${served().url}/#data`);
    await page.getByRole('link', { name: /^weather/ }).waitFor();
    expect(await page.getByRole('link', { name: table }).count()).toBe(0);

    await page.goto(`${served().url}/#writes`);
    await page
      .getByRole('textbox', { name: 'Lines' })
      .fill(`${table},city=Faro temperature=1\n${table},city=Faro temperature=`);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Sent:').waitFor();
    const rows = page.getByRole('region', { name: 'What becomes of each line' }).getByRole('row');
    await expect(rows.nth(1).getByRole('cell').nth(3).textContent()).resolves.toBe('stored');
    await expect(rows.nth(2).getByRole('cell').nth(3).textContent()).resolves.toMatch(/^refused .*at line 2:/);
  });

  test('Loads and migrations shows a load of this machine with its progress and report, and the causes of a failed one', async () => {
    const files = path.join(served().folder, 'files');
    await command('sample', '--parquet', files);
    await command('load', files, '--url', served().url, '--report', path.join(served().folder, 'report'));
    const broken = path.join(served().folder, 'broken.parquet');
    await writeFile(broken, 'not Parquet');
    await expect(command('load', broken, '--dataset', 'generation', '--url', served().url)).rejects.toThrow();

    const page = await served().open('#work');
    const run = (source: string): Locator => page.locator('.card', { hasText: source });
    await run(files).getByText('succeeded').waitFor();
    await run(files).getByText('Report', { exact: true }).click();
    await run(files).locator('pre').waitFor();
    const items = run(files).getByRole('progressbar');
    await expect(items.getAttribute('value')).resolves.toBe(await items.getAttribute('max'));
    await run(broken).getByText('failed', { exact: true }).waitFor();
    await run(broken).getByRole('table', { name: 'Causes of errors' }).waitFor();
  });

  test('text of the data is never HTML', async () => {
    const text = '<img src=x onerror=alert(1)>';
    const page = await served().open(link({ database: DATABASE, table: 'hostile' }));
    expect(
      await curl(`hostile,city=${text.replace(/[ =]/g, '\\$&')} note="<b>bold</b>" ${Math.floor(Date.now() / 1_000)}`),
    ).toBe('204');
    await page.getByRole('cell', { name: text }).waitFor();
    await page.getByRole('button', { name: 'Query the newest 1,000 rows' }).click();
    await page.getByRole('region', { name: 'Result, 1 row' }).getByRole('cell', { name: '<b>bold</b>' }).waitFor();
    await curl(`${text} a=`);
    await page.getByRole('link', { name: 'Writes' }).click();
    await page.locator('.writes summary').first().click();
    await page.getByText(`${text} a=`, { exact: true }).waitFor();
    expect(await page.locator('img, b:not(.number)').count()).toBe(0);
  });
});

/** Pixels of the chart that are neither transparent nor grey, as axes and grid are. */
const drawnPixels = (page: Page): Promise<number> =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelector('.chart canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue, alpha] = data.subarray(at, at + 4);
      if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) drawn++;
    }
    return drawn;
  })()`);
