/** Turns an S3 address into the input of an execution, and lists the files of sources. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listFiles, remoteInput } from '../../../local/loader/source';

const AP = 'arn:aws:s3:us-east-1:123456789012:accesspoint/ap';

test.each([
  ['s3://b/in/a.parquet', { bucket: 'b', key: 'in/a.parquet' }],
  ['s3://b/in/', { bucket: 'b', prefix: 'in/' }],
  [`s3://${AP}/in/a.PQ`, { bucket: AP, key: 'in/a.PQ' }],
  [`s3://${AP}/in`, { bucket: AP, prefix: 'in' }],
  ['s3://b/loads/x/failed-items.jsonl', { plan: 's3://b/loads/x/failed-items.jsonl' }],
])('%s becomes %p', (source, input) => {
  expect(remoteInput(source)).toEqual(input);
});

test.each(['s3://', 's3://b', 's3://b/', 's3:///key'])('%s is refused', (source) => {
  expect(() => remoteInput(source)).toThrow(expect.objectContaining({ name: 'UsageError' }));
});

test('a list of files says whether there are more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sources-'));
  try {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.parquet`), '');
    expect(await listFiles([folder], 3)).toMatchObject({ files: { length: 3 }, isComplete: true });
    expect(await listFiles([folder], 2)).toMatchObject({ files: { length: 2 }, isComplete: false });
    expect(await listFiles([join(folder, 'a.parquet'), folder], 1)).toMatchObject({ isComplete: false });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
