/** Timestamps written as ISO 8601 text, and as query engines print them. */

/** A wall-clock time as if it were UTC, and the zone in the text. */
export interface ParsedTime {
  readonly seconds: number;
  readonly nanos: number;
  /** Seconds ahead of UTC, if the text has an offset. */
  readonly offset: number | undefined;
  /** The name of a zone, such as America/Sao_Paulo, if the text has a name and no offset. */
  readonly zone: string | undefined;
}

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)`;
/** Digits beyond nanoseconds, which some engines print, may only be zeros. */
const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})0*)?)?`;
const OFFSET = String.raw`Z|UTC|GMT|[+-]\d\d(?::?\d\d)?`;
/** A name in brackets only repeats what an offset says: `2024-03-01T09:00-03:00[America/Sao_Paulo]`. */
const ISO = new RegExp(
  String.raw`^${DATE}(?:[T ]${TIME}(?: ?(${OFFSET})(?: UTC|\[[\w/+-]+\])?| ?([A-Z]\w+(?:/[\w+-]+)+))?)?$`,
  'i',
);

/**
 * Parses a calendar date, alone or with a time of day to the nanosecond after `T` or a space. After them may follow `Z`, `UTC`, `±hh`,
 * `±hhmm`, `±hh:mm` or the name of a zone. Athena, BigQuery, PostgreSQL, Java and Python print times in these forms. Returns undefined
 * for anything else, also for dates that do not exist; it does not check whether a zone exists.
 */
export function parseIsoTime(text: string): ParsedTime | undefined {
  const match = ISO.exec(text.trim());
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? 0 : Number(part)));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCFullYear() === year;
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;

  const offset = match[8] === undefined ? undefined : offsetSeconds(match[8]);
  if (Number.isNaN(offset)) return undefined;
  return {
    seconds: date.getTime() / 1000 + hour * 3600 + minute * 60 + second,
    nanos: Number((match[7] ?? '').padEnd(9, '0')),
    offset,
    zone: match[9],
  };
}

/** NaN for an offset that no zone can have. */
function offsetSeconds(text: string): number {
  if (!/^[+-]/.test(text)) return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}
