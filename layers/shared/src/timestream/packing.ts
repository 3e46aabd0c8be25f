/**
 * Packs the records of a request into WriteRecords calls: per table in series order, 100 a call, points of one series and time
 * merged into one record, and everything that a call's records share written once.
 *
 * Source of the shape: WriteRecords in the Timestream for LiveAnalytics API reference. Fewer calls and shared attributes are also
 * what is billed less: writes are metered by call, and common attributes once a call.
 */
import type { ByteWriter } from './byte-writer';
import { MAX_RECORDS_PER_CALL } from './limits';
import type { LineReport } from './line-report';
import { measuresProblem, mergeMeasures } from './measures';
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
  /** The lines that were merged into a record, by that record; a record that stands for one line is not in here. */
  readonly mergedLines: ReadonlyMap<number, readonly number[]>;
}

/** Puts the records in the order in which they are sent. Points whose merged record goes beyond a limit go to `report`. */
export function packRecords(records: RecordSet, report: LineReport): Packing {
  const batches: Batch[] = [];
  const mergedLines = new Map<number, number[]>();
  const rank = seriesRanks(records.series);
  for (const table of records.tables.values()) {
    const order = mergeRepeated(records, inSeriesOrder(records, table, rank), mergedLines, report);
    for (let start = 0; start < order.length; start += MAX_RECORDS_PER_CALL) {
      batches.push({ table, records: order.slice(start, start + MAX_RECORDS_PER_CALL) });
    }
  }
  return { batches, mergedLines };
}

/** For each series its place among all of them by dimensions, so that neighbours share as many as possible. */
function seriesRanks(series: readonly Series[]): Int32Array {
  const keys = series.map(({ measureName, dimensions }) => measureName + dimensions.join());
  const sorted = series.map(({ index }) => index).sort((a, b) => (keys[a] < keys[b] ? -1 : 1));
  const ranks = new Int32Array(series.length);
  for (const [rank, index] of sorted.entries()) ranks[index] = rank;
  return ranks;
}

/** The table's records by series and time; those of one series and time stay in the order of their lines. */
function inSeriesOrder(records: RecordSet, table: Table, rank: Int32Array): readonly number[] {
  const { seriesOf, seconds, nanos } = records;
  return table.records.sort(
    (a, b) => rank[seriesOf[a]] - rank[seriesOf[b]] || seconds[a] - seconds[b] || nanos[a] - nanos[b] || a - b,
  );
}

/** Merges neighbours of one series and time into the first of them, the later line winning for each measure. */
function mergeRepeated(
  records: RecordSet,
  order: readonly number[],
  mergedLines: Map<number, number[]>,
  report: LineReport,
): readonly number[] {
  const { seriesOf, seconds, nanos } = records;
  const merged: number[] = [];
  for (const record of order) {
    const last = merged[merged.length - 1];
    if (
      last !== undefined &&
      seriesOf[last] === seriesOf[record] &&
      seconds[last] === seconds[record] &&
      nanos[last] === nanos[record]
    ) {
      mergeInto(records, last, record, mergedLines, report);
    } else merged.push(record);
  }
  return merged;
}

function mergeInto(
  records: RecordSet,
  record: number,
  later: number,
  mergedLines: Map<number, number[]>,
  report: LineReport,
): void {
  const { json, measuresStart, measuresEnd, line } = records;
  const measures = [record, later].map((each) => json.buffer.subarray(measuresStart[each], measuresEnd[each]));
  const { json: text, totals } = mergeMeasures(measures);
  const problem = measuresProblem(totals, records.series[records.seriesOf[record]].bytes);
  if (problem !== undefined) {
    report.rejected(line[later], `together with line ${line[record]}, of the same series and time: ${problem}`);
    return;
  }
  measuresStart[record] = json.length;
  json.append(Buffer.from(text));
  measuresEnd[record] = json.length;
  const lines = mergedLines.get(record);
  if (lines === undefined) mergedLines.set(record, [line[record], line[later]]);
  else lines.push(line[later]);
}

/** Units of time that a call may have, coarsest first: name, and the nanoseconds that a whole unit leaves. */
const TIME_UNITS = [
  { name: 'SECONDS', nanos: 1_000_000_000, digits: 0 },
  { name: 'MILLISECONDS', nanos: 1_000_000, digits: 3 },
  { name: 'MICROSECONDS', nanos: 1_000, digits: 6 },
  { name: 'NANOSECONDS', nanos: 1, digits: 9 },
] as const;
type TimeUnit = (typeof TIME_UNITS)[number];

const RECORDS = Buffer.from('},"Records":[');
const MEASURES = Buffer.from('"MeasureValues":[');
const TIME = Buffer.from('],"Time":"');
const RECORD_END = Buffer.from('"},');

/**
 * Writes the body of a WriteRecords call for `batch` (1..100 records).
 * @param version of every record; a higher one than is stored replaces the record
 * @param body is emptied first
 */
export function encodeCall(
  records: RecordSet,
  database: string,
  batch: Batch,
  version: number,
  body: ByteWriter,
): Buffer {
  const { json, measuresStart, measuresEnd, seconds, nanos, seriesOf } = records;
  const series = distinctSeries(records, batch);
  const shared = sharedParts(series);
  const unit = timeUnit(records, batch);
  body.length = 0;
  body.append(
    Buffer.from(
      `{"DatabaseName":${JSON.stringify(database)},"TableName":${JSON.stringify(batch.table.name)},"CommonAttributes":{` +
        `${recordHead(shared.measureName, shared.dimensions)}"MeasureValueType":"MULTI","TimeUnit":"${unit.name}","Version":${version}`,
    ),
  );
  body.append(RECORDS);
  let head: Buffer | undefined;
  let headSeries = -1;
  for (const record of batch.records) {
    if (seriesOf[record] !== headSeries || head === undefined) {
      headSeries = seriesOf[record];
      head = Buffer.from(`{${ownHead(records.series[headSeries], shared)}`);
    }
    body.append(head);
    body.append(MEASURES);
    body.append(json.buffer, measuresStart[record], measuresEnd[record]);
    body.append(TIME);
    appendTime(body, seconds[record], nanos[record], unit);
    body.append(RECORD_END);
  }
  body.length--; // the last comma
  body.ascii(']}');
  return body.written;
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

interface SharedParts {
  /** Undefined where the series differ in it. */
  readonly measureName: string | undefined;
  readonly dimensions: readonly string[];
}

/** What all of these series have. */
function sharedParts(series: readonly Series[]): SharedParts {
  const [{ measureName, dimensions }, ...others] = series;
  return {
    measureName: others.every((other) => other.measureName === measureName) ? measureName : undefined,
    dimensions:
      others.length === 0
        ? dimensions
        : dimensions.filter((dimension) => others.every((other) => other.dimensions.includes(dimension))),
  };
}

/** What a record of this series has of its own. */
function ownHead(series: Series, shared: SharedParts): string {
  return recordHead(
    shared.measureName === undefined ? series.measureName : undefined,
    series.dimensions.filter((dimension) => !shared.dimensions.includes(dimension)),
  );
}

/** Members of a record or of the common attributes, each with a comma behind it. */
function recordHead(measureName: string | undefined, dimensions: readonly string[]): string {
  return (
    (measureName === undefined ? '' : `"MeasureName":${measureName},`) +
    (dimensions.length === 0 ? '' : `"Dimensions":[${dimensions.join()}],`)
  );
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
