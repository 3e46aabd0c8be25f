/** Which row group an error is reported for, while the next row group is read ahead. */
import { readFileSync } from 'node:fs';
import { readFooter } from 'shared/parquet/footer';
import { ParquetTables } from 'shared/parquet/tables';
import { fixture } from '../../support/parquet';

test('an error while a row group is used is an error of this row group', async () => {
  const bytes = readFileSync(fixture('codec-none'));
  const metadata = readFooter(bytes, bytes.length);
  const read = (start: number, end: number) => Promise.resolve(new Uint8Array(bytes.subarray(start, end)).buffer);
  let reading = -1;
  const tables = new ParquetTables(metadata, read, bytes.length, (rowGroup) => {
    reading = rowGroup;
  });
  const used: number[] = [];
  const range = { firstRowGroup: 0, rowGroups: 3, maxRowGroupBytes: 1e6 };
  await tables.forEachBatch(
    range,
    ['value'],
    () => used.push(reading),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  expect(used).toEqual([0, 1, 2]);
});
