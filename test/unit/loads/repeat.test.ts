/** What of an incomplete load is started again, by its summary. */
import { repetitionOf } from 'shared/loads/repeat';

const PLAN = 's3://work/loads/x/failed-items.jsonl';
const cause = (error: string) => ({ error, cause: `why ${error}`, items: 1, objects: [] });
const repetition = (errors: readonly string[], changes: object = {}) =>
  repetitionOf({ failedItems: PLAN, fullyPlanned: true, failed_batches: 0, ...changes, causes: errors.map(cause) });

test.each([
  ['InfluxDBConnectionError'],
  ['InfluxDBWriteError'],
  ['States.Timeout', 'NotStarted'],
  // One of them may be loaded the next time.
  ['DataConversionError', 'InfluxDBConnectionError'],
  // Any error may be among the others.
  ['DataConversionError', 'Other'],
  ['NotStarted'],
])('by the failed items after %s, %s', (...errors) => {
  expect(repetition(errors)).toEqual({ plan: PLAN, permanentReason: undefined });
});

test.each([['DataConversionError'], ['NotStarted', 'States.ExceedToleratedFailureThreshold', 'ConfigurationError']])(
  'another run ends in the same way after %s, %s',
  (...errors) => {
    const error = errors.find((name) => /^(Data|Conf)/.test(name));
    const permanentReason = `${error}: why ${error}`;
    expect(repetition(errors)).toEqual({ plan: PLAN, permanentReason });
    expect(repetition(errors, { fullyPlanned: false })).toEqual({ plan: undefined, permanentReason });
  },
);

test('batches that were skipped are repeated beside a file that cannot be loaded', () => {
  expect(repetition(['DataConversionError'], { failed_batches: 2 })).toEqual({
    plan: PLAN,
    permanentReason: undefined,
  });
});

test('another run ends in the same way where no item failed, such as where InfluxDB refused points', () => {
  const refused = repetition(['InfluxDBWriteError'], { failedItems: null });
  expect(refused).toEqual({ plan: undefined, permanentReason: 'no item failed that could be repeated' });
});

test('the whole load where not all of its files were planned, which no failed item names', () => {
  const whole = { plan: undefined, permanentReason: undefined };
  expect(repetition(['InfluxDBConnectionError'], { fullyPlanned: false })).toEqual(whole);
  expect(repetition([], { fullyPlanned: false, failedItems: null })).toEqual(whole);
});

test('what is not a summary is refused', () => {
  expect(() => repetitionOf({ causes: [] })).toThrow('the summary cannot be used');
});
