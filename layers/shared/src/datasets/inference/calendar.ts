/** Folders that are named like a part of the time, such as `year=2024` and `dt=20240101`: whether they repeat the times of their files. */
import { parseIsoTime } from '../../points/iso-8601';

/** The times in a file, s since 1970, and the columns of its path. */
export interface DatedFile {
  readonly folders: ReadonlyMap<string, string | null>;
  readonly times: { readonly min: number; readonly max: number };
}

/** Names of folders that probably only repeat the time. */
const CALENDAR = /^(?:year|month|day|hour|minute|date|dt|ds|yyyy|mm|dd|hh|yr|mon|week)$/i;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Folders may be of local times: offsets from UTC in s, nearest first. */
const OFFSETS = Array.from({ length: 14 * 4 + 1 }, (_, index) => index * 900)
  .flatMap((offset) => [offset, -offset])
  .slice(1);

export const isCalendarName = (name: string): boolean => CALENDAR.test(name);

/**
 * Whether the folder's values are those of the times in its files, in a time zone that is the same for all files.
 * A folder of a day or longer may be off by an hour, because zones change their offset.
 * @param isWall whether the times are of folders, too, and so in the same zone
 */
export function repeatsTimes(name: string, files: readonly DatedFile[], isWall: boolean): boolean {
  const dated = files.flatMap(({ folders, times }) => {
    const value = folders.get(name);
    return value === undefined || value === null ? [] : [{ value, times }];
  });
  return (isWall ? [0] : OFFSETS).some((offset) =>
    dated.every(({ value, times: { min, max } }) => {
      const matches = matcher(name.toLowerCase(), value);
      const slack = matches.isShort ? 0 : Math.min(HOUR, max - min);
      return (
        (matches.at(min + offset) || matches.at(min + offset + slack)) &&
        (matches.at(max + offset) || matches.at(max + offset - slack))
      );
    }),
  );
}

interface Matcher {
  /** @param seconds since 1970 */
  at(seconds: number): boolean;
  /** Whether the folder is of less than a day. */
  readonly isShort: boolean;
}

const NEVER: Matcher = { at: () => false, isShort: true };

/** A value that is a whole date decides by itself; the name decides what other numbers are. */
function matcher(name: string, value: string): Matcher {
  const iso = parseIsoTime(value);
  if (iso) {
    const hasTime = /\d[T ]\d/.test(value);
    const wall = iso.seconds - (iso.offset ?? 0);
    return hasTime
      ? { at: (seconds) => seconds >= wall && seconds < wall + HOUR, isShort: true }
      : { at: (seconds) => Math.floor(seconds / DAY) * DAY === wall, isShort: false };
  }
  // 2024, 202401, 20240131, 2024013123
  if (/^(?:\d{4}|\d{6}|\d{8}|\d{10})$/.test(value))
    return { at: (seconds) => digitsOf(seconds).startsWith(value), isShort: value.length > 8 };
  const number = Number(value);
  const of = (part: (date: Date) => number, isShort = false): Matcher => ({
    at: (seconds) => part(new Date(seconds * 1000)) === number,
    isShort,
  });
  if (name === 'month' || name === 'mon' || name === 'mm') return of((date) => date.getUTCMonth() + 1);
  if (name === 'day' || name === 'dd') return of((date) => date.getUTCDate());
  if (name === 'hour' || name === 'hh') return of((date) => date.getUTCHours(), true);
  if (name === 'minute') return of((date) => date.getUTCMinutes(), true);
  if (name === 'week') return { at: (seconds) => isNearWeek(number, seconds), isShort: false };
  return NEVER;
}

/** Weeks are numbered in several ways, which differ by one. */
function isNearWeek(week: number, seconds: number): boolean {
  const date = new Date(seconds * 1000);
  const dayOfYear = (date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / (DAY * 1000);
  const distance = Math.abs(week - 1 - Math.floor(dayOfYear / 7));
  return distance <= 1 || (distance >= 51 && distance <= 53);
}

function digitsOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 13).replace(/\D/g, '');
}
