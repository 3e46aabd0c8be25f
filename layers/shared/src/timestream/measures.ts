/** The measures of one record: checks their limits, and merges those of several lines. */
import { MAX_MEASURE_VALUES_BYTES, MAX_MEASURES_PER_RECORD, MAX_RECORD_BYTES, TIME_BYTES } from './limits';
import type { MeasureColumn } from './measure-json';
import type { MeasureList } from './measure-list';
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

/** Merges measures into one record. If several measures have the same name, the last one wins, as in InfluxDB. */
export class MeasureMerge {
  /** The measure of each name, in the order of their first appearance. */
  private readonly measures = new Map<MeasureColumn, number>();
  private totals: MeasureTotals = { count: 0, valueBytes: 0 };

  /** @param list contains the measures; they belong to one shape */
  constructor(private readonly list: MeasureList) {}

  /**
   * Adds the measures `start..end`. Returns the reason if the record would exceed a limit; then nothing is added.
   * @param seriesBytes length of the record's dimension names and values
   */
  add(start: number, end: number, seriesBytes: number): Refusal | undefined {
    const { list } = this;
    const added = new Map<MeasureColumn, number>();
    for (let measure = start; measure < end; measure++) added.set(list.columnOf(measure), measure);
    const totals = { ...this.totals };
    for (const [column, measure] of added) {
      const replaced = this.measures.get(column);
      if (replaced === undefined) totals.count++;
      else totals.valueBytes -= list.valueBytes(replaced);
      totals.valueBytes += list.valueBytes(measure);
    }
    const problem = measuresProblem(totals, seriesBytes);
    if (problem !== undefined) return problem;
    this.totals = totals;
    for (const [column, measure] of added) this.measures.set(column, measure);
    return undefined;
  }

  /** The measures of the record. */
  get merged(): number[] {
    return [...this.measures.values()];
  }
}
