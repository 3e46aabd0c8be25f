/** Columns by pattern: `sensor_*` means all columns whose name begins with `sensor_`. */

/** Returns a test for a column's name. `*` is any text, also none; all other characters are themselves. */
export function columnPattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`, 's');
  return (name) => expression.test(name);
}

/** Returns a test for columns that match a pattern, and none of the patterns in `except`. */
export function columnSelection(pattern: string, except: readonly string[] = []): (name: string) => boolean {
  const isMeant = columnPattern(pattern);
  const exceptions = except.map(columnPattern);
  return (name) => isMeant(name) && !exceptions.some((isException) => isException(name));
}
