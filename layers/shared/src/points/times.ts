/** Time columns as nanoseconds since 1970, in two exact parts, from each type that Parquet writers use for a time. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { Cell, INTEGER_BYTES, integersOf, markMissing, words } from './cells';
import { parseIsoTime } from './iso-8601';
import { emptySpans, isTextFormat, spansOf } from './spans';
import { ZoneOffsets } from './zone';

/** A record batch's times: whole seconds since 1970, rounded down, and the nanoseconds after them. */
export interface Times {
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
  readonly states: Uint8Array;
}

const PER_SECOND = { s: 1, m: 1e3, u: 1e6, n: 1e9 };
const MAPPED_UNITS = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };
const decoder = new TextDecoder();

/** Why a column cannot be a time column, or undefined where it can. */
export function timeProblem(
  { format, dictionary }: ColumnInfo,
  unit: keyof typeof MAPPED_UNITS | undefined,
): string | undefined {
  const values = dictionary ?? format;
  if (/^(ts[smun]:|td[Dm]$|n$)/.test(values) || isTextFormat(values)) return undefined;
  if (!(values in INTEGER_BYTES)) return 'is not a time';
  return unit ? undefined : 'is of integers, and the mapping names no unit for them (`time.unit`: s, ms, us or ns)';
}

export class TimeReader {
  private readonly zone: ZoneOffsets | undefined;
  private readonly unit: keyof typeof MAPPED_UNITS | undefined;

  /**
   * @param mapping its `unit` is what an integer column counts; its `zone` that of wall-clock times, which are timestamps without
   *   a zone, dates, and text without an offset. Integers, and timestamps with a zone, are instants.
   */
  constructor(mapping: { unit?: keyof typeof MAPPED_UNITS | undefined; zone?: string | undefined }) {
    this.unit = mapping.unit;
    this.zone = mapping.zone === undefined || mapping.zone === 'UTC' ? undefined : new ZoneOffsets(mapping.zone);
  }

  read(column: ArrowColumn, out: Times): void {
    markMissing(column, out.states);
    const { format } = column;
    if (format === 'n') return;
    if (column.dictionary) this.readDictionary(column, column.dictionary, out);
    else if (isTextFormat(format)) this.readText(column, out);
    else if (format.startsWith('ts')) {
      readWords(column, PER_SECOND[format.charAt(2) as keyof typeof PER_SECOND], out);
      if (format.endsWith(':')) this.toInstants(column.length, out);
    } else if (format === 'tdD') {
      const days = words(column, 1, 1);
      for (let row = 0; row < column.length; row++) out.seconds[row] = (days[row] as number) * 86_400;
      out.nanos.fill(0, 0, column.length);
      this.toInstants(column.length, out);
    } else if (format === 'tdm') {
      readWords(column, 1e3, out);
      this.toInstants(column.length, out);
    } else this.readIntegers(column, out);
    checkRange(column.length, out);
  }

  private toInstants(rows: number, out: Times): void {
    if (!this.zone) return;
    for (let row = 0; row < rows; row++) {
      if (out.states[row] === Cell.ok && isInRange(out.seconds[row] as number, 0)) {
        (out.seconds[row] as number) -= this.zone.at(out.seconds[row] as number);
      }
    }
  }

  private readIntegers(column: ArrowColumn, out: Times): void {
    const perSecond = MAPPED_UNITS[this.unit ?? 'ns'];
    if (column.format === 'l' || column.format === 'L') {
      readWords(column, perSecond, out);
      // What is negative as a signed number is beyond every limit as an unsigned one.
      if (column.format === 'L') markNegative(column.length, out);
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
      if (time) {
        out.seconds[row] = time.hasOffset || !this.zone ? time.seconds : time.seconds - this.zone.at(time.seconds);
        out.nanos[row] = time.nanos;
      } else out.states[row] = text.trim() === '' ? Cell.missing : Cell.unreadable;
    }
  }

  private readDictionary(column: ArrowColumn, dictionary: ArrowColumn, out: Times): void {
    const rows = dictionary.length;
    const entries = { seconds: new Float64Array(rows), nanos: new Int32Array(rows), states: new Uint8Array(rows) };
    this.read(dictionary, entries);
    const indices = integersOf({ ...column, dictionary: undefined });
    for (let row = 0; indices && row < column.length; row++) {
      if (out.states[row] !== Cell.ok) continue;
      const entry = indices(row);
      out.seconds[row] = entries.seconds[entry] as number;
      out.nanos[row] = entries.nanos[entry] as number;
      out.states[row] = entries.states[entry] as number;
    }
  }
}

/**
 * 64-bit counts, from their two words and without BigInt: the quotient in doubles is off by one at most, and the remainder, known
 * modulo 2^32, says whether it is.
 */
function readWords(column: ArrowColumn, perSecond: number, out: Times): void {
  const halves = words(column, 1, 2);
  const toNanos = 1e9 / perSecond;
  for (let row = 0; row < column.length; row++) {
    const low = halves[2 * row] as number;
    let seconds = Math.floor(((halves[2 * row + 1] as number) * 4294967296 + (low >>> 0)) / perSecond);
    let rest = (low - Math.imul(seconds, perSecond)) | 0;
    if (rest < 0) {
      seconds--;
      rest += perSecond;
    } else if (rest >= perSecond) {
      seconds++;
      rest -= perSecond;
    }
    out.seconds[row] = seconds;
    out.nanos[row] = rest * toNanos;
  }
}

function markNegative(rows: number, out: Times): void {
  for (let row = 0; row < rows; row++)
    if ((out.seconds[row] as number) < 0) out.seconds[row] = Number.POSITIVE_INFINITY;
}

function checkRange(rows: number, out: Times): void {
  for (let row = 0; row < rows; row++) {
    const isFar = !isInRange(out.seconds[row] as number, out.nanos[row] as number);
    if (isFar && out.states[row] === Cell.ok) out.states[row] = Cell.outOfRange;
  }
}

/** InfluxDB's own limits: https://docs.influxdata.com/influxdb/v2/reference/faq/#what-are-the-minimum-and-maximum-timestamps */
function isInRange(seconds: number, nanos: number): boolean {
  if (seconds > -9223372037 && seconds < 9223372036) return true;
  return seconds === 9223372036 ? nanos <= 854775806 : seconds === -9223372037 && nanos >= 145224194;
}
