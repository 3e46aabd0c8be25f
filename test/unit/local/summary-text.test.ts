/** The summary of a load as text, and the causes in it. */
import { Causes } from 'shared/loads/causes';
import type { Summary } from 'shared/loads/summary';
import { LoadDetails } from '../../../local/loader/details';
import { summaryText } from '../../../local/loader/summary-text';

const totals = {
  source_records: 10_000,
  points_written: 6_000,
  batches_processed: 10,
  failed_batches: 4,
  failed_points: 4_000,
  rejected_points: 0,
  invalid_records: {},
  rejected_reasons: {},
  duplicates: 0,
  earliest: null,
  latest: null,
  warnings: { 'unknown-value pollutant': 12_346, 'out-of-range temp': 1 },
};
const summary: Summary = {
  ...totals,
  loadId: 'x',
  statusCode: 207,
  message: '',
  files: 3,
  ignored: 0,
  items: 3,
  failed_items: 2,
  causes: [],
  datasets: {},
  failedItems: 'failed-items.jsonl',
  fullyPlanned: true,
  summary: 'summary.json',
  withinTolerance: false,
};

test('counts only files with stored points, and says that failed points were sent', () => {
  const details = new LoadDetails([]);
  details.files.add('x');
  const [headline] = summaryText(summary, false, details).split('\n');
  expect(headline).toBe(
    'Stored 6,000 points of 10,000 rows in 1 file; 4,000 points sent but not confirmed; 2 of 3 items not loaded',
  );
});

test('omits the number of files if it does not know which items have stored points', () => {
  expect(summaryText(summary, false)).toMatch(/^Stored 6,000 points of 10,000 rows; 4,000 points sent/);
});

test('describes warnings without values if there are no details', () => {
  expect(summaryText(summary, false)).toContain(
    '  12,346 rows: pollutant has a value that the mapping does not list\n',
  );
});

test('says why values of typed fields were left out or made rows invalid, with an example', () => {
  const details = new LoadDetails([]);
  const result = {
    ...{ item: { bucket: 'b', key: 'in/k.parquet', firstRowGroup: 0, rowGroups: 1 }, dataset: 'x', pointsWritten: 1 },
    warnings: [
      { kind: 'left-out', column: 'n', value: 'not-an-integer', count: 3, example: { row: 7, value: '1.5' } },
      { kind: 'left-out', column: 'n', value: 'nan', count: 2, example: { row: 9, value: 'NaN' } },
      { kind: 'left-out', column: 'n', count: 1 },
    ],
    invalidExamples: [{ reason: 'id out-of-range', row: 0, value: '-1' }],
  };
  details.add(result as unknown as Parameters<typeof details.add>[0]);
  const warned = { ...summary, invalid_records: { 'id out-of-range': 2 }, warnings: { 'left-out n': 6 } };
  const text = summaryText(warned, false, details);
  expect(text).toContain('  2 rows: id is out of range, such as -1\n');
  expect(text).toContain(
    '  3 rows: n was left out, because it has a fraction, but its field is an integer, such as "1.5" in row 7 of k.parquet\n',
  );
  expect(text).toContain('  2 rows: n was left out, because it is NaN, such as in row 9 of k.parquet\n');
  expect(details.leftOut()).toContainEqual({
    ...{ column: 'n', reason: 'nan', rows: 2, example: { row: 9, value: 'NaN', file: 'k.parquet' } },
  });
  expect(text).toContain('  1 row: n was left out, because it is not a finite number, not UTF-8 text');
});

test('the error that ended a load is not counted beside its items', () => {
  const causes = new Causes();
  causes.add('Interrupted', 'the load was interrupted', 'a.parquet');
  causes.add('NotStarted', 'the item was not started', 'b.parquet');
  causes.add('Interrupted', 'the load was interrupted', null);
  expect(causes.list().map(({ error, items }) => [error, items])).toEqual([
    ['Interrupted', 1],
    ['NotStarted', 1],
  ]);
});

test('rows of an export that share tags and time are no sign of a missing tag: pivoted rows are one point of several fields', () => {
  const duplicates = 800;
  const counts = { manifest_rows: 1_000, rows: 1_000, points: 1_000, empty: 0, invalid: 0, points_written: 1_000 };
  const more = { failed_points: 0, rejected_points: 0, merged: 800, left_out: [], accounted: true };
  const table = { ...counts, ...more } as unknown as NonNullable<Summary['tables']>[string];
  const one = { ...summary, source_records: 1_000, duplicates };
  expect(summaryText(one, false)).toContain(
    'At least 800 rows overwrote an earlier row with the same tags and time: a tag',
  );
  const text = summaryText({ ...one, tables: { singles: table } }, false);
  expect(text).toContain(
    'At least 800 rows joined an earlier row with the same tags and time in one point, where a field keeps',
  );
  expect(text).not.toMatch(/overwrote|missing from the mapping/);
});
