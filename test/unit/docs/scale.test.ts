/** The simulation of scale: its figures by hand or from the limits of the product, and the page that shows them. */
import { readFileSync } from 'node:fs';
import { SCALE_PAGE, scalePage } from '../../../reference/scale';
import { connectorLoad } from '../../simulation/scale/connector-load';
import { paceOf } from '../../simulation/scale/load-pace';
import { planOf } from '../../simulation/scale/load-plan';
import { migrationOf } from '../../simulation/scale/migration-plan';
import { scaleTables } from '../../simulation/scale/tables';

const half = (): number => 0.5;

test('docs/scale.md has the tables of the simulation: npm run generate', async () => {
  const page = readFileSync(SCALE_PAGE, 'utf8');
  expect(page).toBe(scalePage(page, await scaleTables()));
}, 120_000);

test('a table replaces the one below its mark, and needs a mark', () => {
  const page = 'a\n\n<!-- pace: x -->\n\n| old |\n| --- |\n\nb\n';
  expect(scalePage(page, { pace: '| new |' })).toBe('a\n\n<!-- pace: x -->\n\n| new |\n\nb\n');
  expect(() => scalePage(page, { plan: '| new |' })).toThrow('docs/scale.md has no place for the table plan');
});

describe('the plan of a load', () => {
  test('divides files of 2 million rows by rows and keeps small files whole', async () => {
    // 20,000,000 rows are ten items of 2,000,000; ends are at row groups.
    expect(await planOf({ files: 3, rowsPerFile: 20_000_000 })).toMatchObject({ items: 30, parts: 1 });
    expect(await planOf({ files: 70, rowsPerFile: 10 })).toMatchObject({ items: 70, parts: 1, events: 36 });
  });

  test('goes on with the next part when the time for planning is over', async () => {
    // 840 s at 2.7 ms are 311,111 files.
    const { parts, items } = await planOf({ files: 1_000_000, rowsPerFile: 10 }, 1_000);
    expect(parts).toBe(4);
    expect(items).toBe(1_000_000);
  });

  test('is the same by a sample of the files', async () => {
    const listing = { files: 4_000, rowsPerFile: 10_000 };
    const [whole, sampled] = [await planOf(listing), await planOf(listing, 1_000)];
    expect(sampled.items).toBe(whole.items);
    expect(Math.abs(sampled.planBytes / whole.planBytes - 1)).toBeLessThan(0.01);
  });
});

describe('the pace of a load', () => {
  test('is what one flush per second takes, if InfluxDB could store more', async () => {
    const { rowsPerSecond, slowest } = await paceOf({ items: 1, writes: 4, capacity: 1e9 }, half);
    expect(rowsPerSecond).toBeCloseTo(40_000, -3);
    expect(slowest).toBeLessThanOrEqual(1);
  });

  test('is never more than InfluxDB stores, and no item fails for its load', async () => {
    for (const items of [1, 5, 20]) {
      const pace = await paceOf({ items, writes: 16, capacity: 142_000 }, half);
      expect(pace.rowsPerSecond).toBeLessThanOrEqual(142_000);
      expect(pace.failedItems).toBe(0);
    }
  });
});

describe('a migration', () => {
  test('has a window for each 5 million rows, and one UNLOAD per 30 s in each of four places', async () => {
    const plan = await migrationOf({ tables: 1, rows: 400_000_000, days: 80 }, 1_000_000);
    expect(plan.windows).toBe(80);
    // Four at a time, started 1.1 s apart: 20 rounds of 30 s, and the three further starts of the first round.
    expect(plan.exportSeconds).toBeCloseTo(20 * 30 + 3 * 1.1);
    // 15 s around each load, and 5 s for its rows.
    expect(plan.loadSeconds).toBe(80 * (15 + 5));
  });
});

describe('requests to the write endpoint', () => {
  test('take the CPU that the memory gives', () => {
    const slow = connectorLoad({ perSecond: 10, lines: 1, megabytes: 176.9 });
    expect(slow.milliseconds).toBeCloseTo(16 + 20);
    expect(slow.concurrency).toBeCloseTo(0.36);
  });

  test('exceed the limits in the order of their excess', () => {
    const { exceeded, callsPerSecond } = connectorLoad({ perSecond: 12_000, lines: 250, megabytes: 1_769 });
    expect(callsPerSecond).toBe(36_000);
    expect(exceeded.map(({ times }) => times)).toEqual([10, 1.2, 1.2]);
  });
});
