/**
 * Packs the records of a request into WriteRecords calls: one table and up to 100 records per call, in series order. Merges points
 * of the same series and time into one record. Writes attributes that all records of a call share once, as common attributes.
 *
 * Source of the format: WriteRecords in the Timestream for LiveAnalytics API reference. Fewer calls and common attributes also
 * reduce costs: AWS meters each call, and counts common attributes once per call.
 */
import { Words } from '../line-protocol/words';
import type { LineReport } from '../line-report';
import type { ByteWriter } from './byte-writer';
import { MAX_DIMENSIONS_PER_RECORD, MAX_RECORDS_PER_CALL } from './limits';
import { MeasureMerge } from './measures';
import type { RecordSet } from './record-set';
import type { SeriesTable, Table } from './series';

/** The records of one call, all for the same table; indices into the record set. */
export interface RecordBatch {
  readonly table: Table;
  readonly records: Int32Array;
}

/** The records of a request, merged and divided into batches. */
export interface Packing {
  readonly batches: readonly RecordBatch[];
  /** For each merged record the records that it consists of. Records of a single line are not included. */
  readonly mergedRecords: ReadonlyMap<number, readonly number[]>;
}

/** Sorts, merges and batches the records. If merging a point would exceed a limit, the point goes to `report` instead. */
export function packRecords(records: RecordSet, report: LineReport): Packing {
  const mergedRecords = new Map<number, readonly number[]>();
  const order = mergeRepeated(records, inSeriesOrder(records), mergedRecords, report);
  const tableOf = (index: number): Table => records.series.measurementOf(records.seriesOf[order[index]]).table;
  const batches: RecordBatch[] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const table = tableOf(start);
    while (end < order.length && end < start + MAX_RECORDS_PER_CALL && tableOf(end) === table) end++;
    batches.push({ table, records: order.subarray(start, end) });
  }
  return { batches, mergedRecords };
}

/**
 * The position of each series when sorted by measurement and dimensions, so that neighbors share as many dimensions as possible. A radix
 * sort from the last dimension to the first, and then by measurement. If nearly every line is its own series, a comparison sort takes ten
 * times as long.
 */
function seriesRanks(series: SeriesTable): Int32Array {
  const { dimensionIds, dimensions, length } = series;
  const keys = new Int32Array(length);
  for (let each = 0; each < length; each++) keys[each] = MAX_DIMENSIONS_PER_RECORD - series.dimensionCount(each);
  const longestFirst = sortedBy(keys, MAX_DIMENSIONS_PER_RECORD, upTo(length));
  let order = new Int32Array(0);
  for (let position = MAX_DIMENSIONS_PER_RECORD - 1; position >= 0; position--) {
    let end = order.length;
    while (end < length && series.dimensionCount(longestFirst[end]) > position) end++;
    if (end === 0) continue;
    // A series that ends here precedes those that continue.
    const extended = new Int32Array(end);
    extended.set(longestFirst.subarray(order.length, end));
    extended.set(order, end - order.length);
    for (const each of extended) keys[each] = dimensionIds[series.dimensionsStart(each) + position];
    order = sortedBy(keys, dimensions.size, extended);
  }
  for (let each = 0; each < length; each++) keys[each] = series.measurementOf(each).id;
  order = sortedBy(keys, series.measurementCount, order);
  const ranks = new Int32Array(length);
  for (let rank = 0; rank < length; rank++) ranks[order[rank]] = rank;
  return ranks;
}

/** The numbers from 0 up to `length`. */
function upTo(length: number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

/** A stable counting sort. @param keys the key of each number, below `bound` */
function sortedBy(keys: Int32Array, bound: number, numbers: Int32Array): Int32Array<ArrayBuffer> {
  // First the number of each key, then the position of its next number.
  const next = new Int32Array(bound + 1);
  for (let i = 0; i < numbers.length; i++) next[keys[numbers[i]] + 1]++;
  for (let key = 1; key <= bound; key++) next[key] += next[key - 1];
  const sorted = new Int32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) sorted[next[keys[numbers[i]]]++] = numbers[i];
  return sorted;
}

/** Sorts the records by table, series and time. Records of the same series and time stay in the order of their lines. */
function inSeriesOrder(records: RecordSet): Int32Array {
  const { length, series, seriesOf } = records;
  const ranks = seriesRanks(series);
  const rankOf = new Int32Array(length);
  for (let record = 0; record < length; record++) rankOf[record] = ranks[seriesOf[record]];
  const order = sortedBy(rankOf, series.length, upTo(length));
  sortTimes(records, order);
  return order;
}

/** Sorts the records of each series by time, unless they are already in order, which is usual. */
function sortTimes({ nanos, seconds, seriesOf }: RecordSet, order: Int32Array): void {
  const compare = (a: number, b: number): number => seconds[a] - seconds[b] || nanos[a] - nanos[b] || a - b;
  for (let start = 0, end = 1; start < order.length; start = end++) {
    const series = seriesOf[order[start]];
    let ascending = true;
    for (; end < order.length && seriesOf[order[end]] === series; end++) {
      ascending &&= compare(order[end - 1], order[end]) <= 0;
    }
    if (!ascending) order.subarray(start, end).sort(compare);
  }
}

/** Merges each run of records of the same series and time into its first record. For each measure the later line wins. */
function mergeRepeated(
  records: RecordSet,
  order: Int32Array,
  mergedRecords: Map<number, readonly number[]>,
  report: LineReport,
): Int32Array {
  const { seriesOf, seconds, nanos } = records;
  let kept = 0;
  for (let start = 0, end = 1; start < order.length; start = end++) {
    const first = order[start];
    while (
      end < order.length &&
      seriesOf[order[end]] === seriesOf[first] &&
      seconds[order[end]] === seconds[first] &&
      nanos[order[end]] === nanos[first]
    ) {
      end++;
    }
    if (end > start + 1) mergedRecords.set(first, mergeRun(records, order.subarray(start, end), report));
    order[kept++] = first;
  }
  return order.subarray(0, kept);
}

/** Merges a run into its first record. Returns the records that were merged; reports those that would exceed a limit. */
function mergeRun(records: RecordSet, run: Int32Array, report: LineReport): number[] {
  const { measures, measuresStart, measuresEnd, line } = records;
  const [first] = run;
  const bytes = records.series.bytesOf(records.seriesOf[first]);
  const merge = new MeasureMerge(measures);
  const merged: number[] = [];
  for (const record of run) {
    const problem = merge.add(measuresStart[record], measuresEnd[record], bytes);
    if (problem === undefined) merged.push(record);
    else {
      const reason = `together with line ${line[first]}, of the same series and time: ${problem.reason}`;
      report.rejected(records.place(record), reason, problem.limit);
    }
  }
  measuresStart[first] = measures.length;
  measures.repeat(merge.merged);
  measuresEnd[first] = measures.length;
  return merged;
}

/** Time units of a call, coarsest first: name, nanoseconds per unit, and fraction digits of a second. */
const TIME_UNITS = [
  { name: 'SECONDS', nanos: 1_000_000_000, digits: 0 },
  { name: 'MILLISECONDS', nanos: 1_000_000, digits: 3 },
  { name: 'MICROSECONDS', nanos: 1_000, digits: 6 },
  { name: 'NANOSECONDS', nanos: 1, digits: 9 },
] as const;
type TimeUnit = (typeof TIME_UNITS)[number];

const COMMON = Words.of(',"CommonAttributes":{');
const RECORDS = Words.of('},"Records":[');
const RECORD = Words.of('{');
const MEASURE_NAME = Words.of('"MeasureName":');
const DIMENSIONS = Words.of('"Dimensions":[');
const COMMA = Words.of(',');
const LIST_END = Words.of('],');
const MEASURES = Words.of('"MeasureValues":[');
const TIME = Words.of('],"Time":"');
const RECORD_END = Words.of('"},');

/** Writes the bodies of a request's calls. */
export class CallEncoder {
  /** Number of series of the current call that have a dimension, by its id. */
  private readonly uses: Int32Array;
  private readonly database: string;

  constructor(
    private readonly records: RecordSet,
    database: string,
  ) {
    this.uses = new Int32Array(records.dimensions.size);
    this.database = JSON.stringify(database);
  }

  /**
   * Writes the body of a WriteRecords call for `batch` (1..100 records).
   * @param version version of every record; Timestream replaces a stored record that has a lower version
   * @param body emptied first; the returned buffer is valid until the next use of `body`
   */
  encode(batch: RecordBatch, version: number, body: ByteWriter): Buffer {
    const { measures, measuresStart, measuresEnd, seconds, nanos, seriesOf } = this.records;
    const seriesOfCall = this.count(batch, 1);
    const [first] = batch.records;
    const sharesName = this.sharesName(batch);
    const unit = timeUnit(this.records, batch);

    body.length = 0;
    body.append(Buffer.from(`{"DatabaseName":${this.database},"TableName":${JSON.stringify(batch.table.name)}`));
    body.words(COMMON);
    if (sharesName) this.appendName(body, seriesOf[first]);
    this.appendDimensions(body, seriesOf[first], true, seriesOfCall);
    body.ascii(`"MeasureValueType":"MULTI","TimeUnit":"${unit.name}","Version":${version}`);
    body.words(RECORDS);
    let headSeries = -1;
    let headStart = 0;
    let headEnd = 0;
    for (const record of batch.records) {
      const index = seriesOf[record];
      if (index === headSeries) body.copy(body.view, headStart, headEnd);
      else {
        headSeries = index;
        headStart = body.length;
        body.words(RECORD);
        if (!sharesName) this.appendName(body, index);
        this.appendDimensions(body, index, false, seriesOfCall);
        body.words(MEASURES);
        headEnd = body.length;
      }
      measures.write(body, measuresStart[record], measuresEnd[record]);
      body.words(TIME);
      appendTime(body, seconds[record], nanos[record], unit);
      body.words(RECORD_END);
    }
    body.length--; // the last comma
    body.ascii(']}');
    this.count(batch, -1);
    return body.written;
  }

  /** Adds `by` to the uses of the dimensions of each series of the batch. Returns the number of these series. */
  private count({ records }: RecordBatch, by: number): number {
    const { series, seriesOf } = this.records;
    const { dimensionIds } = series;
    let count = 0;
    let last = -1;
    for (let i = 0; i < records.length; i++) {
      const index = seriesOf[records[i]];
      if (index === last) continue;
      last = index;
      count++;
      const end = series.dimensionsEnd(index);
      for (let at = series.dimensionsStart(index); at < end; at++) this.uses[dimensionIds[at]] += by;
    }
    return count;
  }

  /** Whether all records of the batch have the same measure name. */
  private sharesName({ records }: RecordBatch): boolean {
    const { series, seriesOf } = this.records;
    const first = series.measurementOf(seriesOf[records[0]]);
    return records.every((record) => series.measurementOf(seriesOf[record]) === first);
  }

  /** Appends the dimensions of a series and a comma: those that all series of the call share, or else the other ones. */
  private appendDimensions(body: ByteWriter, series: number, shared: boolean, seriesOfCall: number): void {
    const { dimensions, series: table } = this.records;
    const { starts } = dimensions;
    const { view } = dimensions.json;
    const end = table.dimensionsEnd(series);
    let isFirst = true;
    for (let at = table.dimensionsStart(series); at < end; at++) {
      const id = table.dimensionIds[at];
      if ((this.uses[id] === seriesOfCall) !== shared) continue;
      body.words(isFirst ? DIMENSIONS : COMMA);
      body.copy(view, starts[id], starts[id + 1]);
      isFirst = false;
    }
    if (!isFirst) body.words(LIST_END);
  }

  private appendName(body: ByteWriter, series: number): void {
    body.words(MEASURE_NAME);
    body.words(this.records.series.measurementOf(series).measureName);
    body.words(COMMA);
  }
}

/** The coarsest unit that expresses every time of the batch as a whole number. */
function timeUnit({ nanos }: RecordSet, { records: batch }: RecordBatch): TimeUnit {
  let at = 0;
  for (let i = 0; i < batch.length; i++) while (nanos[batch[i]] % TIME_UNITS[at].nanos !== 0) at++;
  return TIME_UNITS[at];
}

function appendTime(body: ByteWriter, seconds: number, nanos: number, unit: TimeUnit): void {
  const fraction = nanos / unit.nanos;
  if (unit.digits === 0) body.digits(seconds);
  else if (seconds === 0) body.digits(fraction);
  else {
    body.digits(seconds);
    body.digits(fraction, unit.digits);
  }
}
