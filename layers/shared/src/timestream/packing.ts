/**
 * Packs the records of a request into WriteRecords calls: per table in series order, 100 a call, points of one series and time
 * merged into one record, and everything that a call's records share written once.
 *
 * Source of the shape: WriteRecords in the Timestream for LiveAnalytics API reference. Fewer calls and shared attributes are also
 * what is billed less: writes are metered by call, and common attributes once a call.
 */
import { Words } from '../line-protocol/words';
import type { ByteWriter } from './byte-writer';
import type { Dimension } from './dimensions';
import { MAX_RECORDS_PER_CALL } from './limits';
import type { LineReport } from './line-report';
import { MeasureMerge } from './measures';
import type { RecordSet } from './records';
import type { Series, Table } from './series';

/** Records that go to one table in one call; indices into the record set. */
export interface Batch {
  readonly table: Table;
  readonly records: readonly number[];
}

/** The records of a request, merged and cut into batches. */
export interface Packing {
  readonly batches: readonly Batch[];
  /** The records that were merged into one, by that one; a record that stands for one line is not in here. */
  readonly mergedRecords: ReadonlyMap<number, readonly number[]>;
}

/** Puts the records in the order in which they are sent. Points whose merged record goes beyond a limit go to `report`. */
export function packRecords(records: RecordSet, report: LineReport): Packing {
  const batches: Batch[] = [];
  const mergedRecords = new Map<number, readonly number[]>();
  const rank = seriesRanks(records.series);
  for (const table of records.tables.values()) {
    const order = mergeRepeated(records, inSeriesOrder(records, table, rank), mergedRecords, report);
    for (let start = 0; start < order.length; start += MAX_RECORDS_PER_CALL) {
      batches.push({ table, records: order.slice(start, start + MAX_RECORDS_PER_CALL) });
    }
  }
  return { batches, mergedRecords };
}

/** For each series its place among all of them by dimensions, so that neighbours share as many as possible. */
function seriesRanks(series: readonly Series[]): Int32Array {
  const ranks = new Int32Array(series.length);
  let rank = 0;
  for (const { index } of [...series].sort(byDimensions)) ranks[index] = rank++;
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

/** The table's records by series and time; those of one series and time stay in the order of their lines. */
function inSeriesOrder(records: RecordSet, table: Table, rank: Int32Array): readonly number[] {
  const { seriesOf, seconds, nanos } = records;
  // Numbers in an array of their own sort natively; records of a series mostly come in the order of their times.
  const keys = Float64Array.from(
    table.records,
    (record) => rank[seriesOf[record]] * RECORDS_PER_REQUEST + record,
  ).sort();
  const order = Array.from(keys, (key) => key % RECORDS_PER_REQUEST);
  const later = (a: number, b: number): number => seconds[a] - seconds[b] || nanos[a] - nanos[b] || a - b;
  for (let start = 0, end = 1; start < order.length; start = end++) {
    let ascending = true;
    for (; end < order.length && seriesOf[order[end]] === seriesOf[order[start]]; end++) {
      ascending &&= later(order[end - 1], order[end]) <= 0;
    }
    if (ascending) continue;
    for (const [i, record] of order.slice(start, end).sort(later).entries()) order[start + i] = record;
  }
  return order;
}

/** Merges each run of records of one series and time into its first one, the later line winning for each measure. */
function mergeRepeated(
  records: RecordSet,
  order: readonly number[],
  mergedRecords: Map<number, readonly number[]>,
  report: LineReport,
): readonly number[] {
  const { seriesOf, seconds, nanos } = records;
  const merged: number[] = [];
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
    if (end > start + 1) mergedRecords.set(first, mergeRun(records, order.slice(start, end), report));
    merged.push(first);
  }
  return merged;
}

/** Returns the records that are in the merged one; the others would take it beyond a limit. */
function mergeRun(records: RecordSet, run: readonly number[], report: LineReport): number[] {
  const { json, measuresStart, measuresEnd, line } = records;
  const [first] = run;
  const { bytes } = records.series[records.seriesOf[first]];
  const merge = new MeasureMerge();
  const merged: number[] = [];
  for (const record of run) {
    const problem = merge.add(json.buffer.subarray(measuresStart[record], measuresEnd[record]), bytes);
    if (problem === undefined) merged.push(record);
    else {
      const reason = `together with line ${line[first]}, of the same series and time: ${problem}`;
      report.rejected(records.place(record), reason);
    }
  }
  measuresStart[first] = json.length;
  json.append(merge.toJson());
  measuresEnd[first] = json.length;
  return merged;
}

/** More records than a request can have, and few enough that rank and record make a whole number of a double. */
const RECORDS_PER_REQUEST = 2 ** 26;

/** Units of time that a call may have, coarsest first: name, and the nanoseconds that a whole unit leaves. */
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
  /** For each dimension by its id, how many series of the current call have it. */
  private readonly uses: Int32Array;
  private readonly database: string;

  constructor(
    private readonly records: RecordSet,
    database: string,
  ) {
    this.uses = new Int32Array(records.dimensions);
    this.database = JSON.stringify(database);
  }

  /**
   * Writes the body of a WriteRecords call for `batch` (1..100 records).
   * @param version of every record; a higher one than is stored replaces the record
   * @param body is emptied first; what is returned is valid until it is used again
   */
  encode(batch: Batch, version: number, body: ByteWriter): Buffer {
    const { json, measuresStart, measuresEnd, seconds, nanos, seriesOf } = this.records;
    const series = distinctSeries(this.records, batch);
    const [first] = series;
    const sharesName = series.every((each) => each.measurement === first.measurement);
    for (const { dimensions } of series) for (const { id } of dimensions) this.uses[id]++;
    const shared = first.dimensions.filter(({ id }) => this.uses[id] === series.length);
    const unit = timeUnit(this.records, batch);

    body.length = 0;
    body.append(Buffer.from(`{"DatabaseName":${this.database},"TableName":${JSON.stringify(batch.table.name)}`));
    body.words(COMMON);
    appendHead(body, sharesName ? first : undefined, shared);
    body.ascii(`"MeasureValueType":"MULTI","TimeUnit":"${unit.name}","Version":${version}`);
    body.words(RECORDS);
    let headSeries = -1;
    let headStart = 0;
    let headEnd = 0;
    for (const record of batch.records) {
      const index = seriesOf[record];
      if (index === headSeries) body.append(body.buffer, headStart, headEnd);
      else {
        const { dimensions } = this.records.series[index];
        headSeries = index;
        headStart = body.length;
        body.words(RECORD);
        const own = dimensions.filter(({ id }) => this.uses[id] !== series.length);
        appendHead(body, sharesName ? undefined : this.records.series[index], own);
        body.words(MEASURES);
        headEnd = body.length;
      }
      body.append(json.buffer, measuresStart[record], measuresEnd[record]);
      body.words(TIME);
      appendTime(body, seconds[record], nanos[record], unit);
      body.words(RECORD_END);
    }
    body.length--; // the last comma
    body.ascii(']}');
    for (const { dimensions } of series) for (const { id } of dimensions) this.uses[id] = 0;
    return body.written;
  }
}

function distinctSeries(records: RecordSet, batch: Batch): Series[] {
  const found: Series[] = [];
  let last = -1;
  for (const record of batch.records) {
    const index = records.seriesOf[record];
    if (index !== last) found.push(records.series[index]);
    last = index;
  }
  return found;
}

/** Appends members of a record or of the common attributes, each with a comma behind it: the measure name of `named`, dimensions. */
function appendHead(body: ByteWriter, named: Series | undefined, dimensions: readonly Dimension[]): void {
  if (named !== undefined) {
    body.words(MEASURE_NAME);
    body.words(named.measurement.measureName);
    body.words(COMMA);
  }
  if (dimensions.length === 0) return;
  body.words(DIMENSIONS);
  for (const { json } of dimensions) {
    body.words(json);
    body.words(COMMA);
  }
  body.length--;
  body.words(LIST_END);
}

/** The coarsest unit in which every time of the batch is whole. */
function timeUnit(records: RecordSet, batch: Batch): TimeUnit {
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
