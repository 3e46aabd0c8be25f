/** Numbers and times as text. */
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** For example 12,345. */
export const count = (value: number): string => whole.format(value);

/** A number with its noun, such as `1 line` or `2 lines`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** For example `0.4 ms`, `38 ms` or `1.2 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor((minutes % 1_440) / 60)} h`;
}

/** For example 512 B, 4.2 kB or 1.5 MB. */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  if (value < 1_000_000) return `${Number((value / 1_000).toFixed(1))} kB`;
  return `${Number((value / 1_000_000).toFixed(1))} MB`;
}

/** The local time of day, such as 09:08:07. */
export const timeOfDay = (time: number | string): string => new Date(time).toTimeString().slice(0, 8);

/** Local date and time, such as 2026-11-29 09:08:07. */
export function dateAndTime(time: number | string): string {
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join('-')} ${timeOfDay(time)}`;
}
