/** Options of `migrate` that are wrong end the command before it does anything, with the option's name. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a Timestream that cannot be reached fails with the command to go on, without the token', async () => {
  const words = ['migrate', '--database', 'd', '--timestream', 'http://127.0.0.1:1', '--token', 'secret'];
  const { code, err } = await runProgram(words, { cwd: mkdtempSync(join(tmpdir(), 'migrate-')) });
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/Timestream: .*ECONNREFUSED.*\nTo go on: .*migrate --database d .*--token TOKEN\n$/),
  ]);
  expect(err).not.toContain('secret');
});
