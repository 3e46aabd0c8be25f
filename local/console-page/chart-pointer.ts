/** The values of a chart where the pointer is, and times as text. */
import type uPlot from 'uplot';
import { dateAndTime } from './format';

/** What the pointer is at: indexes into the times, and into the values of each line. */
export interface Pointed {
  readonly time: number;
  readonly values: readonly (number | null | undefined)[];
}

export function readPointed(idx: number | null | undefined, idxs: uPlot.Cursor['idxs']): Pointed | undefined {
  return typeof idx === 'number' ? { time: idx, values: idxs?.slice(1) ?? [] } : undefined;
}

/** Lines with times of their own have few values at the pointer's time, so each shows the nearest one. */
export function nearestValue({ data }: uPlot, line: number, index: number): number {
  const values = data[line];
  if (line === 0 || values === undefined) return index;
  for (let distance = 0; distance < values.length; distance++) {
    if (typeof values[index - distance] === 'number') return index - distance;
    if (typeof values[index + distance] === 'number') return index + distance;
  }
  return index;
}

export function valueAt(values: readonly (number | null)[], index: number | null | undefined): string {
  const value = typeof index === 'number' ? values[index] : undefined;
  return value === null || value === undefined ? '–' : String(value);
}

export const timeText = (seconds: number, utc: boolean): string =>
  utc ? `${new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')} UTC` : dateAndTime(seconds * 1_000);

/** The labels of the time axis by the distance of its ticks, with 24 hours. The form is that of uPlot's axes[].values. */
const DATE = '\n{YYYY}-{MM}-{DD}';
export const TIME_LABELS: uPlot.Axis.Values = [
  [86_400 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [86_400 * 28, '{YYYY}-{MM}', null, null, null, null, null, null, 1],
  [86_400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DATE, null, DATE, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DATE, null, DATE, null, null, null, 1],
  [0.001, '{HH}:{mm}:{ss}.{fff}', DATE, null, DATE, null, null, null, 1],
];
