/** Columns by pattern: `sensor_*` means all columns whose name begins with `sensor_`. */

/** Returns a test for a column's name. `*` is any text, also none; all other characters are themselves. */
export function columnPattern(pattern: string): (name: string) => boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return (name) => name === pattern;
  // Not a regular expression: with several `*`, a name that does not match would take seconds.
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of others) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}

/** Returns a test for columns that match a pattern, and none of the patterns in `except`. */
export function columnSelection(pattern: string, except: readonly string[] = []): (name: string) => boolean {
  const isMeant = columnPattern(pattern);
  const exceptions = except.map(columnPattern);
  return (name) => isMeant(name) && !exceptions.some((isException) => isException(name));
}
