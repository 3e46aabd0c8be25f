/** Profiles a column over the record batches of a sample. */
import { type ColumnProfile, MAX_LISTED } from '../datasets/inference/profile';
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { cellText } from './cell-text';
import { integersOf } from './cells';
import { parseIsoTime } from './iso-8601';
import { secondsOf } from './times';

/** Distinct values that the profiles of a file list together: about 20 MB. */
const MAX_VALUES = 200_000;

/** Bounds the memory of the values of a wide file: forgets those of integers first, then those of the columns with the most. */
export function limitValues(profilers: readonly ColumnProfiler[]): void {
  let total = profilers.reduce((sum, { listed }) => sum + listed, 0);
  if (total <= MAX_VALUES) return;
  const order = [...profilers].sort((a, b) => Number(b.isInteger) - Number(a.isInteger) || b.listed - a.listed);
  for (const profiler of order) {
    if (total <= MAX_VALUES) return;
    total -= profiler.listed;
    if (profiler.listed > 0) profiler.forgetValues();
  }
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** UTF-16 code units of an example. */
const MAX_EXAMPLE = 40;

export class ColumnProfiler {
  private count = 0;
  private readonly values = new Set<string>();
  private isListed = true;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private notTime: string | undefined;
  private areNumbers = true;
  private areUtf8 = true;

  constructor(private readonly info: ColumnInfo) {}

  /** The number of values that the profile lists so far. */
  get listed(): number {
    return this.values.size;
  }

  get isInteger(): boolean {
    return this.info.type.kind === 'integer';
  }

  /** From now on there are too many values to list. */
  forgetValues(): void {
    this.isListed = false;
    this.values.clear();
  }

  read(column: ArrowColumn): void {
    const { kind } = column.type;
    const secondsAt = secondsOf(column);
    if (kind === 'integer') this.readIntegers(column);
    else if (secondsAt) this.readTimes(column, secondsAt);
    else if (kind === 'text' || kind === 'uuid') this.readTexts(column);
    else if (kind !== 'null') for (let row = 0; row < column.length; row++) if (isValid(column, row)) this.count++;
  }

  /** @param rows of the sample; record batches without a value lack the column */
  profile(rows: number): ColumnProfile {
    const { name, type, declared } = this.info;
    const isText = type.kind === 'text';
    const isCounted = isText || type.kind === 'uuid' || type.kind === 'integer';
    const { notTime, areNumbers, areUtf8 } = this;
    const areTimes = notTime === undefined;
    const hasRange = this.max >= this.min;
    return {
      ...{ name, type, declared, nulls: rows - this.count },
      ...(isCounted && { values: this.isListed ? [...this.values] : null }),
      ...(hasRange && { range: { min: this.min, max: this.max } }),
      ...(isText && { texts: { areTimes, areNumbers, areUtf8, hasTimes: hasRange, notTime } }),
    };
  }

  private readIntegers(column: ArrowColumn): void {
    const numberAt = integersOf(column);
    const textAt = cellText(column);
    for (let row = 0; numberAt && row < column.length; row++) {
      if (!isValid(column, row)) continue;
      this.count++;
      const value = numberAt(row);
      this.extend(value);
      if (this.isListed) this.list(textAt(row) ?? '');
    }
  }

  private readTimes(column: ArrowColumn, secondsAt: (row: number) => number): void {
    for (let row = 0; row < column.length; row++) {
      if (!isValid(column, row)) continue;
      this.count++;
      this.extend(secondsAt(row));
    }
  }

  private extend(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  private readTexts(column: ArrowColumn): void {
    const textAt = cellText(column);
    for (let row = 0; row < column.length; row++) {
      const text = isValid(column, row) ? (textAt(row) ?? '') : '';
      if (text.trim() === '') continue;
      this.count++;
      const time = parseIsoTime(text);
      if (time) this.extend(time.seconds - (time.offset ?? 0));
      else this.notTime ??= text.slice(0, MAX_EXAMPLE);
      if (this.isListed && !this.values.has(text)) {
        this.areNumbers &&= NUMBER.test(text.trim());
        this.areUtf8 &&= !text.includes('\uFFFD');
        this.list(text);
      }
    }
  }

  private list(text: string): void {
    this.values.add(text);
    if (this.values.size > MAX_LISTED) this.forgetValues();
  }
}
