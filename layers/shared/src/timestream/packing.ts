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
import { MAX_RECORDS_PER_CALL } from './limits';
import { MeasureMerge } from './measures';
import type { RecordSet } from './record-set';
import type { Series, Table } from './series';

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
  const tableOf = (index: number): Table => records.series[records.seriesOf[order[index]]].measurement.table;
  const batches: RecordBatch[] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const table = tableOf(start);
    while (end < order.length && end < start + MAX_RECORDS_PER_CALL && tableOf(end) === table) end++;
    batches.push({ table, records: order.subarray(start, end) });
  }
  return { batches, mergedRecords };
}

/** The position of each series when sorted by dimensions, so that neighbors share as many dimensions as possible. */
function seriesRanks(series: readonly Series[]): Int32Array {
  const ranks = new Int32Array(series.length);
  // This number decides most comparisons. Comparing it first halves the sorting time if nearly every line is its own series.
  const keys = Float64Array.from(series, ({ measurement, dimensions: [first, second] }) => {
    return (measurement.id * 2 ** 20 + first.id) * 2 ** 20 + (second?.id ?? -1);
  });
  const order = [...series].sort((a, b) => keys[a.index] - keys[b.index] || byDimensions(a, b));
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank].index] = rank;
  return ranks;
}

function byDimensions(a: Series, b: Series): number {
  if (a.measurement !== b.measurement) return a.measurement.id - b.measurement.id;
  const length = Math.min(a.dimensions.length, b.dimensions.length);
  for (let i = 0; i < length; i++) {
    const order = a.dimensions[i].id - b.dimensions[i].id;
    if (order !== 0) return order;
  }
  return a.dimensions.length - b.dimensions.length;
}

/** Sorts the records by table, series and time. Records of the same series and time stay in the order of their lines. */
function inSeriesOrder(records: RecordSet): Int32Array {
  const { length, series, seriesOf } = records;
  const ranks = seriesRanks(series);
  // Counting sort: `next` has first the number of records of each rank, then the position of its next record.
  const next = new Int32Array(series.length + 1);
  for (let record = 0; record < length; record++) next[ranks[seriesOf[record]] + 1]++;
  for (let rank = 1; rank <= series.length; rank++) next[rank] += next[rank - 1];
  const order = new Int32Array(length);
  for (let record = 0; record < length; record++) order[next[ranks[seriesOf[record]]]++] = record;
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
  const { bytes } = records.series[records.seriesOf[first]];
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
    const series = distinctSeries(this.records, batch);
    const [first] = series;
    const sharesName = series.every((each) => each.measurement === first.measurement);
    for (const { dimensions } of series) for (const { id } of dimensions) this.uses[id]++;
    const unit = timeUnit(this.records, batch);

    body.length = 0;
    body.append(Buffer.from(`{"DatabaseName":${this.database},"TableName":${JSON.stringify(batch.table.name)}`));
    body.words(COMMON);
    if (sharesName) appendName(body, first);
    this.appendDimensions(body, first, true, series.length);
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
        if (!sharesName) appendName(body, this.records.series[index]);
        this.appendDimensions(body, this.records.series[index], false, series.length);
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
    for (const { dimensions } of series) for (const { id } of dimensions) this.uses[id] = 0;
    return body.written;
  }

  /** Appends the dimensions of `series` and a comma: those that all series of the call share, or else the other ones. */
  private appendDimensions(body: ByteWriter, { dimensions }: Series, shared: boolean, seriesOfCall: number): void {
    const { view } = this.records.dimensions.json;
    let isFirst = true;
    for (const { id, start, end } of dimensions) {
      if ((this.uses[id] === seriesOfCall) !== shared) continue;
      body.words(isFirst ? DIMENSIONS : COMMA);
      body.copy(view, start, end);
      isFirst = false;
    }
    if (!isFirst) body.words(LIST_END);
  }
}

function appendName(body: ByteWriter, { measurement }: Series): void {
  body.words(MEASURE_NAME);
  body.words(measurement.measureName);
  body.words(COMMA);
}

function distinctSeries(records: RecordSet, batch: RecordBatch): Series[] {
  const found: Series[] = [];
  let last = -1;
  for (const record of batch.records) {
    const index = records.seriesOf[record];
    if (index !== last) found.push(records.series[index]);
    last = index;
  }
  return found;
}

/** The coarsest unit that expresses every time of the batch as a whole number. */
function timeUnit(records: RecordSet, batch: RecordBatch): TimeUnit {
  let at = 0;
  for (const record of batch.records) while (records.nanos[record] % TIME_UNITS[at].nanos !== 0) at++;
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
