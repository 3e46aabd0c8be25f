/** Counts as text, for people. */

/** With thousands separators: `9,990`. */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** A count with its noun: `1 file`, `9,990 files`. */
export const number = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;
