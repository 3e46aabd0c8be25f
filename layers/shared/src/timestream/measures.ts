/** The measures of one record, as the JSON of a request: checks their limits, and merges lists of them. */
import {
  BOOLEAN_BYTES,
  MAX_MEASURE_VALUES_BYTES,
  MAX_MEASURES_PER_RECORD,
  MAX_RECORD_BYTES,
  NUMBER_BYTES,
  TIME_BYTES,
} from './limits';
import { Refusal } from './refusal';

/** Number and size of a record's measures. Bytes are counted as AWS meters them: number 8, boolean 1, string its UTF-8 length. */
export interface MeasureTotals {
  count: number;
  valueBytes: number;
}

/**
 * Why a record with these measures cannot be stored; undefined if it can.
 * @param seriesBytes length of the record's dimension names and values
 */
export function measuresProblem(totals: MeasureTotals, seriesBytes: number): Refusal | undefined {
  const { count, valueBytes } = totals;
  if (count === 0)
    return new Refusal('empty-strings', 'the point has only empty strings, which Timestream cannot store');
  if (count > MAX_MEASURES_PER_RECORD) return tooLarge(`${count} fields`, MAX_MEASURES_PER_RECORD);
  if (valueBytes > MAX_MEASURE_VALUES_BYTES) {
    return tooLarge(`field values of ${valueBytes} bytes`, MAX_MEASURE_VALUES_BYTES);
  }
  const recordBytes = TIME_BYTES + seriesBytes + valueBytes;
  if (recordBytes > MAX_RECORD_BYTES) {
    return new Refusal('sizes', `record of ${recordBytes} bytes: at most ${MAX_RECORD_BYTES} are allowed`);
  }
  return undefined;
}

const tooLarge = (what: string, most: number): Refusal => new Refusal('sizes', `${what}: a record has at most ${most}`);

interface FieldMeasure {
  readonly Name: string;
  readonly Value: string;
  readonly Type: string;
}

/** Merges lists of measures. If several measures have the same name, the last one wins, as in InfluxDB. */
export class MeasureMerge {
  private readonly measures = new Map<string, FieldMeasure>();
  private totals: MeasureTotals = { count: 0, valueBytes: 0 };

  /**
   * Adds a list to the record. Returns the reason if the record would exceed a limit; then nothing is added.
   * @param list JSON objects `{"Name","Value","Type"}` separated by commas
   * @param seriesBytes length of the record's dimension names and values
   */
  add(list: Buffer, seriesBytes: number): Refusal | undefined {
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

  /** The merged list, in the same format. */
  toJson(): Buffer {
    return Buffer.from(JSON.stringify([...this.measures.values()]).slice(1, -1));
  }
}

function valueBytes({ Value, Type }: FieldMeasure): number {
  if (Type === 'VARCHAR') return Buffer.byteLength(Value);
  return Type === 'BOOLEAN' ? BOOLEAN_BYTES : NUMBER_BYTES;
}
