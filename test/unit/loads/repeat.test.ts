/** Which part of an incomplete load is repeated, according to its summary. */
import { repetitionOf } from 'shared/loads/repeat';

const PLAN = 's3://work/loads/x/failed-items.jsonl';
const cause = (error: string) => ({ error, cause: `why ${error}`, items: 1, objects: [] });
const repetition = (errors: readonly string[], changes: object = {}) =>
  repetitionOf({ failedItems: PLAN, fullyPlanned: true, failed_batches: 0, ...changes, causes: errors.map(cause) });

test.each([
  ['InfluxDBConnectionError'],
  ['InfluxDBWriteError'],
  ['States.Timeout', 'NotStarted'],
  // The second item may succeed the next time.
  ['DataConversionError', 'InfluxDBConnectionError'],
  // 'Other' may include any error.
  ['DataConversionError', 'Other'],
  ['NotStarted'],
])('repeats the failed items after %s, %s', (...errors) => {
  expect(repetition(errors)).toEqual({ plan: PLAN, permanentReason: undefined });
});

test.each([['DataConversionError'], ['NotStarted', 'States.ExceedToleratedFailureThreshold', 'ConfigurationError']])(
  'reports that a repetition would fail the same way after %s, %s',
  (...errors) => {
    const error = errors.find((name) => /^(Data|Conf)/.test(name));
    const permanentReason = `${error}: why ${error}`;
    expect(repetition(errors)).toEqual({ plan: PLAN, permanentReason });
    expect(repetition(errors, { fullyPlanned: false })).toEqual({ plan: undefined, permanentReason });
  },
);

test('repeats items with skipped batches, also if a file cannot be loaded', () => {
  expect(repetition(['DataConversionError'], { failed_batches: 2 })).toEqual({
    plan: PLAN,
    permanentReason: undefined,
  });
});

test('reports that a repetition would not help if no item failed, such as after rejected points', () => {
  const rejected = repetition(['InfluxDBWriteError'], { failedItems: null });
  expect(rejected).toEqual({ plan: undefined, permanentReason: 'no item failed, so there is nothing to repeat' });
});

test('repeats the whole load if not all of its files were planned', () => {
  const whole = { plan: undefined, permanentReason: undefined };
  expect(repetition(['InfluxDBConnectionError'], { fullyPlanned: false })).toEqual(whole);
  expect(repetition([], { fullyPlanned: false, failedItems: null })).toEqual(whole);
});

test('rejects a text that is not a summary', () => {
  expect(() => repetitionOf({ causes: [] })).toThrow('the summary is not valid');
});
