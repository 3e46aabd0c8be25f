/** The run of a migration: its counts while it runs, and the causes that its report has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { causesOf, recordEvent, recordStep, startMigrationRun } from '../../../local/runs/migration-run';
import { readRuns } from '../../../local/runs/runs';

const folder = mkdtempSync(join(tmpdir(), 'migration-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('counts surveyed, exported and verified windows, and a repeated one once', async () => {
  const target = { engine: 'v2', url: 'http://localhost:8086', org: 'o', bucket: 'b' } as const;
  const run = startMigrationRun(folder, 'id', { database: 'db', tables: ['t'], verify: 'counts' }, target);
  recordStep(run, 'survey');
  recordEvent(run, { kind: 'surveyed', table: 't', rows: 9, windows: 1 });
  recordStep(run, 'export');
  recordEvent(run, { kind: 'split', table: 't', window: '0-4', reason: 'too large' });
  for (const window of ['0-2', '2-4', '2-4']) recordEvent(run, { kind: 'exported', table: 't', window, rows: 3 });
  recordStep(run, 'verify');
  recordEvent(run, { kind: 'verified', table: 't', window: '0-2', differences: 0 });
  run.end({ status: 'interrupted' });
  expect(await readRuns(folder, Date.now())).toMatchObject([
    { items: { total: 2 }, migration: { step: 'verify', exported: 2, verified: 1 } },
  ]);
});

test('names the problems and the differences of a report, and counts windows that differ in the same way', () => {
  const difference = { table: 't', field: 'load', kind: 'missing', detail: 'values are missing' };
  const counts = { expected: '2', found: '1' };
  const window = (from: number) => ({ from: String(from), to: String(from + 1) });
  const finding = { name: 'type-conflict', table: 't', detail: 'load is string in the bucket' };
  expect(
    causesOf({
      findings: [
        { ...finding, severity: 'problem' },
        { ...finding, severity: 'warning' },
      ],
      differences: [1, 2].map((from) => ({ ...difference, ...counts, window: window(from) })),
    }),
  ).toEqual([
    { cause: 'type-conflict of t: load is string in the bucket', count: 1 },
    { cause: 't, field load: missing: values are missing', count: 2 },
  ]);
});
