/** Turns an S3 address into the input of an execution. */
import { remoteInput } from '../../../local/loader/source';

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
