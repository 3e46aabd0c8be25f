/** Calls that wait at the same time are committed together, and fail apart. */
import { Catalog } from '../../../local/timestream/catalog';
import { readRecords } from '../../../local/timestream/record';
import { INTERNAL, Store } from '../../../local/timestream/store';
import { recordsOf } from '../../../local/timestream/table';
import { newTableProperties } from '../../../local/timestream/table-properties';
import { WriteQueue } from '../../../local/timestream/write-queue';

const NOW = Date.UTC(2024, 2, 1, 12);
const DATABASE = 'db';

let store: Store;
let catalog: Catalog;
let writes: WriteQueue;
beforeEach(async () => {
  store = await Store.open(undefined);
  catalog = await Catalog.load(store, () => NOW);
  writes = new WriteQueue(store, catalog, () => NOW);
  await catalog.createDatabase(DATABASE, 'key');
  for (const table of ['a', 'b']) await catalog.createTable(DATABASE, table, newTableProperties({}));
});
afterEach(() => store.close());

const write = (table: string, host: string, value: string) => {
  const Dimensions = [{ Name: 'host', Value: host }];
  const measure = { MeasureName: 'value', MeasureValue: value, MeasureValueType: 'BIGINT' };
  const records = readRecords({ Records: [{ Dimensions, ...measure, Time: String(NOW) }] });
  return writes.write({ database: DATABASE, table, records });
};

async function countIn(table: string): Promise<number> {
  let count = Number.NaN;
  const records = `${INTERNAL}.${recordsOf(catalog.table(DATABASE, table))}`;
  for await (const [n] of store.rows(`SELECT count(*) FROM ${records}`)) count = Number(n);
  return count;
}

test('120 calls for two tables are committed in groups of 50, and each has its own outcome', async () => {
  await Promise.all([write('a', 'x', '1'), write('b', 'x', '1')]);
  const transactions = jest.spyOn(store, 'transaction');
  const outcomes = await Promise.all(
    Array.from({ length: 120 }, (_, n) => write(n % 2 === 0 ? 'a' : 'b', `h${n % 100}`, String(n))),
  );
  // The last 20 calls have the records of the first 20, with other values, so the third group stores nothing.
  expect(transactions).toHaveBeenCalledTimes(2);
  expect(outcomes.map(({ rejected }) => rejected.length)).toEqual(outcomes.map((_, n) => Number(n >= 100)));
  expect(outcomes.map(({ ingested }) => ingested.Total)).toEqual(outcomes.map((_, n) => Number(n < 100)));
  expect([await countIn('a'), await countIn('b')]).toEqual([51, 51]);
});

test('a call for a missing table, and one that the store cannot carry out, do not affect the calls beside them', async () => {
  await store.run(`DROP TABLE ${INTERNAL}.${recordsOf(catalog.table(DATABASE, 'b'))} CASCADE`);
  const calls = [write('a', 'x', '1'), write('none', 'x', '1'), write('b', 'x', '1'), write('a', 'y', '2')];
  const settled = await Promise.allSettled([...calls, write('a', 'x', '3')]);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled']);
  expect(settled[1]).toMatchObject({ reason: { type: 'ResourceNotFoundException' } });
  expect(settled[4]).toMatchObject({ value: { rejected: [{ RecordIndex: 0, ExistingVersion: 1n }] } });
  expect(await countIn('a')).toBe(2);
  expect((await write('a', 'z', '4')).ingested.Total).toBe(1);
});
