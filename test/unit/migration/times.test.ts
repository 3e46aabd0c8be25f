/** Times of a request, to the nanosecond. */
import { migrationRequestSchema } from 'shared/migration/request';
import { toNanoseconds } from 'shared/nanoseconds';

test.each([
  ['1970-01-01T00:00:01Z', 1_000_000_000n],
  ['1970-01-01T00:00Z', 0n],
  ['1970-01-01T00:00:00.5Z', 500_000_000n],
  ['1970-01-01T01:00:00.000000001+01:00', 1n],
  ['1969-12-31T19:00:00.123456789-05:00', 123_456_789n],
  ['1969-12-31T23:59:59.999999999Z', -1n],
])('%s is %s ns', (text, ns) => {
  expect(toNanoseconds(text)).toBe(ns);
});

const rangeOf = (from: string, to: string) =>
  migrationRequestSchema.safeParse({ database: 'd', export: 's3://bucket/', from, to }).success;

test.each([
  ['of one nanosecond', '2024-01-01T00:00:40.000000000Z', '2024-01-01T00:00:40.000000001Z', true],
  ['of nothing', '2024-01-01T00:00:40.000000001Z', '2024-01-01T00:00:40.000000001Z', false],
  [
    'that ends one nanosecond before it begins',
    '2024-01-01T00:00:40.000000002Z',
    '2024-01-01T00:00:40.000000001Z',
    false,
  ],
  ['with different offsets', '2024-01-01T01:00:00+01:00', '2024-01-01T00:00:00.000000001Z', true],
])('a range %s', (_, from, to, isValid) => {
  expect(rangeOf(from, to)).toBe(isValid);
});
