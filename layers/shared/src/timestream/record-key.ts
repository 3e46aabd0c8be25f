/** A key that recognizes a record when a client sends it again. */
import { createHash } from 'node:crypto';
import { ByteWriter } from './byte-writer';
import type { RecordSet } from './record-set';

/** Enough for the JSON of most records. */
const RECORD_BYTES = 4096;

/**
 * SHA-256 of the content of a record: measure name, dimensions, measures and time. Excludes the table, the version, and the time of
 * a line without a timestamp, which differs in each resend.
 */
export function recordKey(records: RecordSet, record: number): string {
  const { dimensions, measures, measuresStart, measuresEnd, seconds, nanos } = records;
  const { series, seriesOf } = records;
  const own = seriesOf[record];
  const hash = createHash('sha256');
  hash.update(series.measurementOf(own).measureName.bytes);
  for (let i = series.dimensionsStart(own); i < series.dimensionsEnd(own); i++) {
    hash.update(dimensions.jsonOf(series.dimensionIds[i]));
  }
  const json = ByteWriter.borrow(RECORD_BYTES);
  measures.write(json, measuresStart[record], measuresEnd[record]);
  hash.update(json.written);
  json.release();
  const isRequestTime = seconds[record] === records.requestSeconds && nanos[record] === records.requestNanos;
  hash.update(isRequestTime ? 'request' : `${seconds[record]}.${nanos[record]}`);
  return hash.digest('binary');
}
