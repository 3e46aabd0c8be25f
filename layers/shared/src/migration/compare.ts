/** Compares a window at the target with what it must be, and explains each difference. */
import { grouped, number } from '../count-text';
import { timeText } from '../nanoseconds';
import type { Difference, FieldCount, WindowCount, WindowRecord } from './records';

type Found = Omit<Difference, 'table' | 'window'>;

/**
 * The differences before the target is asked: between the source, the files and the load. The sums that must close:
 * manifest rows = source rows; rows read = manifest rows; rows = points + empty + invalid; points = written + rejected + failed.
 */
export function ledgerDifferences({ state, exported, source, loaded, error }: WindowRecord): Found[] {
  if (state !== 'exported' || exported === null) {
    return [whole('export', null, null, `the window is not exported: ${error ?? 'it was not reached'}`)];
  }
  const found: Found[] = [];
  if (source && source.rows !== exported.rows) {
    found.push(
      whole(
        'export',
        source.rows,
        exported.rows,
        `the table has ${grouped(source.rows)} rows, the manifest ${grouped(exported.rows)}`,
      ),
    );
  }
  if (loaded === null) return [...found, whole('load', exported.rows, 0, 'the window is not loaded')];
  if (loaded.rows !== exported.rows) {
    found.push(
      whole(
        'load',
        exported.rows,
        loaded.rows,
        `the manifest has ${grouped(exported.rows)} rows, the load read ${grouped(loaded.rows)}${because(loaded.causes)}`,
      ),
    );
  }
  const accounted = loaded.points + loaded.empty + loaded.invalid;
  if (loaded.rows !== accounted) {
    found.push(
      whole('rows', loaded.rows, accounted, 'points, empty and invalid rows do not add up to the rows that were read'),
    );
  }
  const ended = loaded.written + loaded.rejected + loaded.failed;
  if (loaded.points !== ended) {
    found.push(whole('rows', loaded.points, ended, 'written, rejected and failed points do not add up to the points'));
  }
  for (const [count, text] of [
    [loaded.invalid, `${number(loaded.invalid, 'row is', 'rows are')} invalid`],
    [loaded.rejected, `${number(loaded.rejected, 'point was', 'points were')} rejected by InfluxDB`],
    [loaded.failed, `${number(loaded.failed, 'point was', 'points were')} sent but not confirmed`],
  ] as const) {
    if (count > 0) found.push(whole('load', 0, count, `${text}${because(loaded.causes)}`));
  }
  if (!loaded.complete && found.length === 0) {
    found.push(whole('load', null, null, `the load is not complete${because(loaded.causes)}`));
  }
  return found;
}

/** Values that the source has and the target cannot have, because rows became the same point. */
export function overwrittenDifferences({ fields }: WindowCount): Found[] {
  return fields.flatMap(({ field, count, overwritten = 0 }) => {
    if (overwritten === 0) return [];
    const detail = overwrittenText(overwritten, count);
    return [{ ...countDifference(field, count + overwritten, count), detail }];
  });
}

export const overwrittenText = (overwritten: number, count: number): string =>
  `${number(overwritten, 'value')} of ${grouped(overwritten + count)} would be overwritten by another value of the same series and ` +
  'time, because the options make their rows one point. Keep the column as a tag, or accept it with --allow-merges';

const because = (causes: readonly string[]): string => (causes.length === 0 ? '' : `: ${causes.join('; ')}`);

function whole(kind: Found['kind'], expected: number | null, found: number | null, detail: string): Found {
  return { field: null, kind, expected: text(expected), found: text(found), detail };
}

const text = (value: number | null): string | null => (value === null ? null : String(value));

export function targetDifferences(source: WindowCount, target: WindowCount): Found[] {
  const found: Found[] = [];
  const targets = new Map(target.fields.map((field) => [field.field, field]));
  for (const expected of source.fields) {
    const stored = targets.get(expected.field);
    targets.delete(expected.field);
    found.push(...fieldDifferences(expected, stored));
  }
  for (const { field, count } of targets.values()) {
    found.push({ ...countDifference(field, 0, count), detail: more(count) });
  }
  // Without it, a point under another tag value would be as good as its own.
  if (
    found.length === 0 &&
    source.series !== undefined &&
    target.series !== undefined &&
    source.series !== target.series
  ) {
    const kind = target.series < source.series ? 'missing' : 'extra';
    const detail = `${number(target.series, 'series', 'series')}, not ${grouped(source.series)}: points have other tags`;
    found.push({ field: null, kind, expected: text(source.series), found: text(target.series), detail });
  }
  for (const [end, expected, stored] of [
    ['first', source.first, target.first],
    ['last', source.last, target.last],
  ] as const) {
    // A missing or extra point is reported by its field; a time alone shows a point that moved.
    if (found.length > 0 || expected === stored) continue;
    const times = [expected, stored].map((ns) => (ns === null ? null : timeText(ns)));
    const [expectedTime = null, storedTime = null] = times;
    const detail = `the ${end} point is at ${storedTime ?? 'no time'}, not at ${expectedTime ?? 'no time'}`;
    found.push({ field: null, kind: 'time', expected: expectedTime, found: storedTime, detail });
  }
  return found;
}

const more = (values: number): string => `${number(values, 'value')} more than the table has`;

function countDifference(field: string, expected: number, found: number): Found {
  const kind = found < expected ? 'missing' : 'extra';
  return { field, kind, expected: String(expected), found: String(found), detail: '' };
}

function fieldDifferences(expected: FieldCount, stored: FieldCount | undefined): Found[] {
  const count = stored?.count ?? 0;
  if (count !== expected.count) {
    const difference = countDifference(expected.field, expected.count, count);
    const less = expected.count - count;
    const detail = less > 0 ? `${number(less, 'value is', 'values are')} missing` : more(-less);
    return [{ ...difference, detail }];
  }
  const { sum, magnitude, field } = expected;
  if (sum === undefined || stored === undefined || equalSums(sum, stored.sum, expected)) return [];
  const what = expected.kind === 'string' ? 'number of their characters' : 'sum';
  const detail = `values were changed: the ${what} is ${stored.sum ?? 'unknown'}, not ${sum}`;
  const bound = magnitude === undefined ? '' : `, beyond rounding of ${grouped(expected.count)} values`;
  return [{ field, kind: 'changed', expected: sum, found: stored.sum ?? null, detail: detail + bound }];
}

/** Rounding of an addition of doubles, relative to the sum of magnitudes. */
const EPSILON = 2 ** -53;

/**
 * Integers must be equal modulo 2^64: InfluxDB 2 adds 64-bit integers without a check for overflow. Floats must be within the bound of
 * n additions in any order: n * 2^-53 * sum of magnitudes, at both ends. Source: Higham, "The accuracy of floating point summation" (1993).
 */
function equalSums(sum: string, stored: string | undefined, { kind, count, magnitude }: FieldCount): boolean {
  if (stored === undefined) return false;
  if (kind !== 'float') {
    const isWhole = /^-?\d+$/.test(stored);
    return isWhole && BigInt.asIntN(64, BigInt(sum)) === BigInt.asIntN(64, BigInt(stored));
  }
  const [a, b] = [Number(sum), Number(stored)];
  const bound = 2 * count * EPSILON * Number(magnitude ?? 0);
  // The sum of finite values may overflow; then it says nothing.
  return !Number.isFinite(a) || !Number.isFinite(bound) || Math.abs(a - b) <= bound;
}
