/** Options of `migrate` that are wrong end the command before it does anything, with the option's name. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrationRequestSchema } from 'shared/migration/request';
import { MISUSED } from '../../../local/cli/ending';
import { runProgram } from './program';

test.each<[string, string[], RegExp]>([
  ['no database', [], /--database is missing/],
  [
    'a folder for Amazon Timestream',
    ['--database', 'd', '--timestream', 'eu-west-1', '--export', 'out'],
    /--export out is a folder, but Amazon Timestream exports to S3/,
  ],
  [
    'no export for Amazon Timestream',
    ['--database', 'd', '--timestream', 'eu-west-1'],
    /--export is missing: name an s3:\/\/ address/,
  ],
  ['an invalid time', ['--database', 'd', '--from', 'yesterday'], /--from yesterday is not a time such as 2024-01-01/],
  [
    'a range that ends before it begins',
    ['--database', 'd', '--from', '2024-01-02', '--to', '2024-01-01'],
    /^the request is not valid: from: must be before to$/m,
  ],
  [
    'another measure name option',
    ['--database', 'd', '--measure-name', 'x'],
    /Allowed choices are tag, drop, pivot, field/,
  ],
  [
    'a Timestream that is neither a URL nor a region',
    ['--database', 'd', '--timestream', 'x'],
    /must be an http or https URL, or a region/,
  ],
  ['an empty dimension', ['--database', 'd', '--dimensions-to-fields', 'a,,b'], /must be names, separated by commas/],
  [
    'a dry run of a verification',
    ['--database', 'd', '--dry-run', '--verify-only'],
    /--dry-run and --verify-only exclude each other/,
  ],
])('refuses %s', async (_, words, message) => {
  const { code, err } = await runProgram(['migrate', ...words]);
  expect([code, err]).toEqual([MISUSED, expect.stringMatching(message)]);
});

test('a failure of Timestream ends with the command to go on, without the token', async () => {
  // Timestream at /, InfluxDB below /api and /health.
  const server = createServer(({ url }, response) => {
    if (url?.startsWith('/api/v2/write')) return response.writeHead(204).end();
    if (url !== '/') return response.end(JSON.stringify({ status: 'pass', version: 'v2.7.12' }));
    response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' });
    return response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'the session has expired' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const place = `http://127.0.0.1:${port}`;
  const words = ['migrate', '--database', 'd', '--timestream', place, '--url', place, '--token', 'secret'];
  const { code, err } = await runProgram(words, { cwd: mkdtempSync(join(tmpdir(), 'migrate-')) });
  server.close();
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/the session has expired.*\nTo go on: .*migrate --database d .*--token TOKEN\n$/),
  ]);
  expect(err).not.toContain('secret');
});

test('clean names a place that cannot be read, and goes on', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'migrate-'));
  const save = (id: string, exportTo: string): void => {
    const folder = join(cwd, '.data/migrations', id);
    const request = migrationRequestSchema.parse({ database: 'd', export: 's3://bucket/' });
    const target = { engine: 'v2', url: 'http://localhost', org: 'o', bucket: 'b' };
    mkdirSync(folder, { recursive: true });
    const migration = { migrationId: id, request, target, to: '1', started: `2024-01-01T00:00:0${id.slice(-1)}Z` };
    writeFileSync(join(folder, 'migration.json'), JSON.stringify(migration));
    writeFileSync(join(folder, 'places.json'), JSON.stringify({ exportTo, timestream: 'http://localhost:9001' }));
  };
  // The first one has an address in S3, but there is no region.
  save('m-2', 's3://bucket/');
  save('m-1', join(cwd, 'bucket'));
  mkdirSync(join(cwd, 'bucket/d/t/0-1-m-1-1'), { recursive: true });
  writeFileSync(join(cwd, 'bucket/d/t/0-1-m-1-1/x.parquet'), 'x');
  const { code, out, err } = await runProgram(['migrate', 'clean'], { cwd });
  expect([code, err]).toEqual([0, expect.stringMatching(/^m-2: cannot list s3:\/\/bucket\/d\/: .*Region is missing/m)]);
  expect(out).toMatch(/^m-1 \(d\): 1 file, .* It has no proof, so they are kept/m);
});
