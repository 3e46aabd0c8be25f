/** Time columns as nanoseconds since 1970, in two exact parts, from each type that Parquet writers use for a time. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnType } from '../parquet/column-type';
import { Cell, fixedBytes, integersOf, markMissing, words } from './cells';
import { type Counts, checkCounts, readWords } from './counts';
import { parseIsoTime } from './iso-8601';

import { emptySpans, spansOf } from './spans';
import { FAR, ZoneOffsets } from './zone';

/** A record batch's times: whole seconds since 1970, rounded down, and the nanoseconds after them. */
export type Times = Counts;

const PER_SECOND = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };
type Unit = keyof typeof PER_SECOND;
const DAY_SECONDS = 86_400;
/** The Julian number of 1970-01-01, as INT96 counts days. */
const JULIAN_1970 = 2_440_588;
/** More than there are zones: texts with more names contain something else. */
const MAX_ZONES = 1000;
const decoder = new TextDecoder();

/** Why a column cannot be a time column; undefined if it can. */
export function timeProblem({ kind }: ColumnType, unit: Unit | undefined, option = '`time.unit`'): string | undefined {
  if (['timestamp', 'int96', 'date', 'text', 'null'].includes(kind)) return undefined;
  if (kind !== 'integer') return 'is not a time';
  return unit ? undefined : `is of integers, and the mapping names no unit for them (${option}: s, ms, us or ns)`;
}

export class TimeReader {
  private readonly zone: ZoneOffsets | undefined;
  private readonly unit: Unit | undefined;
  /** By name in the texts; null for a name that is not a zone. */
  private readonly zones = new Map<string, ZoneOffsets | null>();

  /**
   * @param mapping `unit`: unit of an integer column. `zone`: zone of wall-clock times, which are timestamps without a zone, dates, and
   *   text without an offset. Integers, INT96, and timestamps with a zone are instants.
   * @param fits whether a time is in range; default: the range of a point's time in InfluxDB
   */
  constructor(
    mapping: { unit?: Unit | undefined; zone?: string | undefined },
    private readonly fits: (seconds: number, nanos: number) => boolean = isInRange,
  ) {
    this.unit = mapping.unit;
    this.zone = mapping.zone === undefined || mapping.zone === 'UTC' ? undefined : new ZoneOffsets(mapping.zone);
  }

  read(column: ArrowColumn, out: Times): void {
    markMissing(column, out.states);
    const { type } = column;
    if (type.kind === 'null') return;
    if (type.kind === 'text') this.readText(column, out);
    else if (type.kind === 'int96') readJulian(column, out);
    else if (type.kind === 'timestamp') {
      readCounts(column, PER_SECOND[type.unit], out);
      if (!type.isInstant) this.toInstants(column.length, out);
    } else if (type.kind === 'date') {
      readDays(column, out);
      this.toInstants(column.length, out);
    } else this.readIntegers(column, out);
    checkCounts(column.length, out, this.fits);
  }

  private toInstants(rows: number, out: Times): void {
    if (!this.zone) return;
    for (let row = 0; row < rows; row++) {
      if (out.states[row] === Cell.ok && this.fits(out.seconds[row], 0) && Math.abs(out.seconds[row]) < FAR) {
        out.seconds[row] -= this.zone.at(out.seconds[row]);
      }
    }
  }

  private readIntegers(column: ArrowColumn, out: Times): void {
    const perSecond = PER_SECOND[this.unit ?? 'ns'];
    if (column.type.kind === 'integer' && column.type.bits === 64) {
      readCounts(column, perSecond, out);
      // A number that is negative as a signed integer is beyond every limit as an unsigned one.
      if (!column.type.isSigned) markNegative(column.length, out);
      return;
    }
    const valueAt = integersOf(column);
    for (let row = 0; valueAt && row < column.length; row++) {
      const value = valueAt(row);
      const seconds = Math.floor(value / perSecond);
      out.seconds[row] = seconds;
      out.nanos[row] = (value - seconds * perSecond) * (1e9 / perSecond);
    }
  }

  private readText(column: ArrowColumn, out: Times): void {
    const { starts, ends } = spansOf(column, emptySpans(column.length));
    const bytes = new Uint8Array(column.memory);
    for (let row = 0; row < column.length; row++) {
      if (!isValid(column, row)) continue;
      const text = decoder.decode(bytes.subarray(starts[row], ends[row]));
      const time = parseIsoTime(text);
      const offset = time && (time.offset ?? this.offsetIn(time.zone, time.seconds));
      if (time && offset !== undefined) {
        out.seconds[row] = time.seconds - offset;
        out.nanos[row] = time.nanos;
      } else out.states[row] = text.trim() === '' ? Cell.missing : Cell.unreadable;
    }
  }

  /** Seconds that a zone (the mapping's zone by default) is ahead of UTC; undefined for an unknown zone. */
  private offsetIn(zone: string | undefined, wall: number): number | undefined {
    if (zone === undefined) return this.zone?.at(wall) ?? 0;
    let offsets = this.zones.get(zone);
    if (offsets === undefined) {
      offsets = ZoneOffsets.of(zone) ?? null;
      if (this.zones.size >= MAX_ZONES) this.zones.clear();
      this.zones.set(zone, offsets);
    }
    return offsets?.at(wall);
  }
}

/** INT96. Source: https://github.com/apache/parquet-format/pull/49, and Impala's code, which Spark follows. */
function readJulian(column: ArrowColumn, out: Times): void {
  const thirds = words(column, 3);
  readWords(thirds, 3, 1e9, column.length, out);
  for (let row = 0; row < column.length; row++) {
    out.seconds[row] += (thirds[3 * row + 2] - JULIAN_1970) * DAY_SECONDS;
  }
}

/** A reader of about the seconds since 1970 of timestamps and dates, whatever their years; undefined for another column. */
export function secondsOf(column: ArrowColumn): ((row: number) => number) | undefined {
  const { type } = column;
  if (type.kind === 'date') {
    const days = words(column, 1);
    return (row) => days[row] * DAY_SECONDS;
  }
  if (type.kind === 'int96') {
    const thirds = words(column, 3);
    const nanos = (row: number) => thirds[3 * row + 1] * 4294967296 + (thirds[3 * row] >>> 0);
    return (row) => (thirds[3 * row + 2] - JULIAN_1970) * DAY_SECONDS + nanos(row) / 1e9;
  }
  if (type.kind !== 'timestamp') return undefined;
  const perSecond = PER_SECOND[type.unit];
  const view = fixedBytes(column, 8);
  return (row) => Number(view.getBigInt64(8 * row, true)) / perSecond;
}

function readDays(column: ArrowColumn, out: Times): void {
  const days = words(column, 1);
  for (let row = 0; row < column.length; row++) out.seconds[row] = days[row] * DAY_SECONDS;
  out.nanos.fill(0, 0, column.length);
}

function readCounts(column: ArrowColumn, perSecond: number, out: Times): void {
  readWords(words(column, 2), 2, perSecond, column.length, out);
}

function markNegative(rows: number, out: Times): void {
  for (let row = 0; row < rows; row++) if (out.seconds[row] < 0) out.seconds[row] = Number.POSITIVE_INFINITY;
}

/** InfluxDB's own limits: https://docs.influxdata.com/influxdb/v2/reference/faq/#what-are-the-minimum-and-maximum-timestamps */
function isInRange(seconds: number, nanos: number): boolean {
  if (seconds > -9223372037 && seconds < 9223372036) return true;
  return seconds === 9223372036 ? nanos <= 854775806 : seconds === -9223372037 && nanos >= 145224194;
}
