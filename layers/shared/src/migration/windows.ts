/** Cuts the range of a table into windows, and a window into halves. */
import type { Window } from './records';

/** Rows of one day of the range. */
export interface DayRows {
  /** ns; days start at midnight UTC. */
  readonly start: bigint;
  readonly rows: number;
}

export interface WindowLimits {
  /** Rows of a window, as far as they are known by day. */
  readonly rows: number;
  /** Days with rows in a window. */
  readonly days: number;
}

/**
 * 5,000,000 rows keep a window far below the 60 GB that the documentation advises for an UNLOAD, and are loaded in minutes. 99 days: UNLOAD
 * writes at most 100 partitions, and AWS's own tools partition by day.
 */
export const WINDOW_LIMITS: WindowLimits = { rows: 5_000_000, days: 99 };

const DAY = 86_400_000_000_000n;

export type CutWindow = Window & { readonly rows: number };

/**
 * Windows that cover the range from `from` (inclusive) to `to` (exclusive) exactly once, in time order. A window begins at midnight, or
 * within a day that has more rows than a window may have. Without rows, there are no windows.
 * @param days in time order; days outside the range do not count
 */
export function cutWindows(from: bigint, to: bigint, days: readonly DayRows[], limits = WINDOW_LIMITS): CutWindow[] {
  const parts = days
    .filter((day) => day.rows > 0)
    .flatMap((day) => partsOf(day, limits))
    .filter(({ start, end }) => end > from && start < to);
  const windows: CutWindow[] = [];
  let begin = from;
  let rows = 0;
  let seen = new Set<bigint>();
  for (const { start, day, rows: more } of parts) {
    const isFull = rows + more > limits.rows || (!seen.has(day) && seen.size >= limits.days);
    if (isFull && rows > 0 && start > begin) {
      windows.push({ ...windowOf(begin, start), rows });
      begin = start;
      rows = 0;
      seen = new Set();
    }
    rows += more;
    seen.add(day);
  }
  if (rows > 0) windows.push({ ...windowOf(begin, to), rows });
  return windows;
}

/** A day in equal parts of time, so that each has about as many rows as a window may have. */
function partsOf({ start, rows }: DayRows, limits: WindowLimits) {
  const count = Math.max(1, Math.ceil(rows / limits.rows));
  return Array.from({ length: count }, (_, index) => ({
    day: start,
    start: start + (DAY * BigInt(index)) / BigInt(count),
    end: start + (DAY * BigInt(index + 1)) / BigInt(count),
    rows: Math.floor(rows / count) + (index < rows % count ? 1 : 0),
  }));
}

const windowOf = (from: bigint, to: bigint): Window => ({ from: String(from), to: String(to) });

/** The halves of a window; undefined for a window of 1 ns. */
export function halves({ from, to }: Window): readonly [Window, Window] | undefined {
  const [start, end] = [BigInt(from), BigInt(to)];
  if (end - start < 2n) return undefined;
  const middle = start + (end - start) / 2n;
  return [windowOf(start, middle), windowOf(middle, end)];
}
