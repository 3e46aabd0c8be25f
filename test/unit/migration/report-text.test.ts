/** The page of a migration says of each table what is known about it, and nothing more. */
import type { TableProof } from 'shared/migration/proof';
import type { Report } from 'shared/migration/report-data';
import { reportText } from 'shared/migration/report-text';
import { migrationRequestSchema } from 'shared/migration/request';

const TABLE: TableProof = {
  ...{ table: 'machines', measurement: 'machines', proved: true, manifest_rows: 1, rows_read: 1, points: 1 },
  ...{ empty: 0, invalid: 0, written: 1, rejected: 0, failed: 0, merged: 0 },
  fields: [],
  windows: [{ from: 'a', to: 'b', rows: 1, expected: null, found: null, differences: 0 }],
};
const REPORT: Report = {
  ...{ migrationId: 'm-1', proved: true, verify: 'counts', database: 'd', created: '', status: 'proved', message: '' },
  target: { engine: 'v2', url: 'http://localhost', org: 'o', bucket: 'b' },
  ...{ differences: [], differencesTotal: 0, findings: [], surveys: [], exportedBytes: 0, scannedBytes: 0 },
  tables: [TABLE],
};
const textOf = (table: Partial<TableProof>, verify: string): string[] => {
  const request = migrationRequestSchema.parse({ database: 'd', export: 's3://bucket/', verify });
  return reportText({ ...REPORT, tables: [{ ...TABLE, ...table }] }, request)
    .split('\n')
    .filter((line) => /machines|exported;/.test(line));
};

test.each([
  ['counts', 'machines: equal'],
  ['none', 'machines: loaded'],
])('with verify %s a table without differences is "%s"', (verify, line) => {
  expect(textOf({}, verify)).toEqual([line, '  1 row exported; 1 read; 1 point; 1 written']);
});

test('a table that differs says so, also if nothing was compared', () => {
  expect(textOf({ proved: false, manifest_rows: 2 }, 'none')[0]).toBe('machines: differs');
});

test('a table without windows has no rows, and is not equal to anything', () => {
  expect(textOf({ windows: [] }, 'counts')).toEqual(['machines: no rows in the range']);
});
