/** Counts as text, for people. */

/** With thousands separators: `9,990`. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');

/** A count with its noun: `1 file`, `9,990 files`. */
export const number = (value: number, noun: string, plural = `${noun}s`): string =>
  `${grouped(value)} ${value === 1 ? noun : plural}`;
