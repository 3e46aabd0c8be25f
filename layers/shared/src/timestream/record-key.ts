/** A key that recognizes a record when a client sends it again. */
import { createHash } from 'node:crypto';
import type { RecordSet } from './record-set';

/**
 * SHA-256 of the content of a record: measure name, dimensions, measures and time. Excludes the table, the version, and the time of
 * a line without a timestamp, which differs in each resend.
 */
export function recordKey(records: RecordSet, record: number): string {
  const { json, dimensions, measuresStart, measuresEnd, seconds, nanos } = records;
  const { measurement, dimensions: own } = records.series[records.seriesOf[record]];
  const hash = createHash('sha256');
  hash.update(measurement.measureName.bytes);
  for (const { start, end } of own) hash.update(dimensions.json.buffer.subarray(start, end));
  hash.update(json.buffer.subarray(measuresStart[record], measuresEnd[record]));
  const isRequestTime = seconds[record] === records.requestSeconds && nanos[record] === records.requestNanos;
  hash.update(isRequestTime ? 'request' : `${seconds[record]}.${nanos[record]}`);
  return hash.digest('binary');
}
