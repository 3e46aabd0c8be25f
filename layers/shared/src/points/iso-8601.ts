/** Timestamps written as ISO 8601 text. */

/** An instant, or a wall-clock time as if it were UTC where the text names no offset. */
export interface ParsedTime {
  readonly seconds: number;
  readonly nanos: number;
  readonly hasOffset: boolean;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * A calendar date, alone or with a time of day, to the nanosecond; `T` or a space between them; `Z`, `±hh`, `±hhmm` or `±hh:mm`
 * after it. Undefined for anything else, dates that no calendar has included.
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

  const offset = offsetSeconds(match[8]);
  if (offset === undefined) return undefined;
  return {
    seconds: date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset,
    nanos: Number((match[7] ?? '').padEnd(9, '0')),
    hasOffset: match[8] !== undefined,
  };
}

function offsetSeconds(text: string | undefined): number | undefined {
  if (text === undefined || text.toUpperCase() === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}
