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

interface FieldMeasure {
  readonly Name: string;
  readonly Value: string;
  readonly Type: string;
}

/** Lists of measures made one; of several with one name the last stays, as in InfluxDB. */
export class MeasureMerge {
  private readonly measures = new Map<string, FieldMeasure>();
  private totals: MeasureTotals = { count: 0, valueBytes: 0 };

  /**
   * Adds a list to the record, or returns why that cannot be; then the record stays as it was.
   * @param list JSON objects `{"Name","Value","Type"}` separated by commas
   * @param seriesBytes of the record's dimensions
   */
  add(list: Buffer, seriesBytes: number): string | undefined {
    const added = new Map<string, FieldMeasure>();
    for (const measure of JSON.parse(`[${list.toString()}]`) as FieldMeasure[]) added.set(measure.Name, measure);
    const totals = { ...this.totals };
    for (const measure of added.values()) {
      const replaced = this.measures.get(measure.Name);
      if (replaced === undefined) totals.count++;
      else totals.valueBytes -= valueBytes(replaced);
      totals.valueBytes += valueBytes(measure);
    }
    const problem = measuresProblem(totals, seriesBytes);
    if (problem !== undefined) return problem;
    this.totals = totals;
    for (const [name, measure] of added) this.measures.set(name, measure);
    return undefined;
  }

  /** As the lists are written. */
  toJson(): Buffer {
    return Buffer.from(JSON.stringify([...this.measures.values()]).slice(1, -1));
  }
}

function valueBytes({ Value, Type }: FieldMeasure): number {
  if (Type === 'VARCHAR') return Buffer.byteLength(Value);
  return Type === 'BOOLEAN' ? BOOLEAN_BYTES : NUMBER_BYTES;
}
