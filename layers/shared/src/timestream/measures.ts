/** The measures of one record, as the JSON that a request carries: their limits, and two lists of them made one. */
import {
  BOOLEAN_BYTES,
  MAX_MEASURE_VALUES_BYTES,
  MAX_MEASURES_PER_RECORD,
  MAX_RECORD_BYTES,
  NUMBER_BYTES,
  TIME_BYTES,
} from './limits';

/** What is limited of a record's measures. Bytes as they are metered: a number 8, a boolean 1, a string its UTF-8 length. */
export interface MeasureTotals {
  count: number;
  valueBytes: number;
}

/** Why a record with these measures and dimensions of `seriesBytes` cannot be stored; undefined where it can. */
export function measuresProblem(totals: MeasureTotals, seriesBytes: number): string | undefined {
  const { count, valueBytes } = totals;
  if (count === 0) return 'the point has only empty strings, which Timestream cannot store';
  if (count > MAX_MEASURES_PER_RECORD) return `${count} fields: a record has at most ${MAX_MEASURES_PER_RECORD}`;
  if (valueBytes > MAX_MEASURE_VALUES_BYTES) {
    return `field values of ${valueBytes} bytes: a record has at most ${MAX_MEASURE_VALUES_BYTES}`;
  }
  const recordBytes = TIME_BYTES + seriesBytes + valueBytes;
  if (recordBytes > MAX_RECORD_BYTES) return `record of ${recordBytes} bytes: at most ${MAX_RECORD_BYTES} are allowed`;
  return undefined;
}

/**
 * Joins lists of measures; of several with one name the last stays, as in InfluxDB.
 * @param lists JSON objects `{"Name","Value","Type"}` separated by commas
 */
export function mergeMeasures(lists: readonly Buffer[]): { json: string; totals: MeasureTotals } {
  const merged = new Map<string, { Name: string; Value: string; Type: string }>();
  for (const list of lists) {
    for (const measure of JSON.parse(`[${list.toString()}]`) as { Name: string; Value: string; Type: string }[]) {
      merged.set(measure.Name, measure);
    }
  }
  const totals = { count: merged.size, valueBytes: 0 };
  for (const { Value, Type } of merged.values()) totals.valueBytes += valueBytes(Value, Type);
  return { json: JSON.stringify([...merged.values()]).slice(1, -1), totals };
}

function valueBytes(value: string, type: string): number {
  if (type === 'VARCHAR') return Buffer.byteLength(value);
  return type === 'BOOLEAN' ? BOOLEAN_BYTES : NUMBER_BYTES;
}
