/** A key for a record, by which a resend of it is known again. */
import { createHash } from 'node:crypto';
import type { RecordSet } from './records';

/**
 * SHA-256 of what the record is within its table: measure name, dimensions, measures and time. The version is left out, and so is
 * the time of a line without a timestamp, which is another one in each resend.
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
