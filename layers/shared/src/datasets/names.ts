/** Names that InfluxDB and line protocol can hold. */

/** A tag's or field's key. The server refuses a reserved one point by point. */
export const isKey = (name: string): boolean =>
  name !== '' && name !== 'time' && !name.startsWith('_') && !name.endsWith('\\');

/** A line that begins with `#` is a comment. */
export const isMeasurement = (name: string): boolean => name !== '' && !/^[_#]/.test(name) && !name.endsWith('\\');

/** The key of a field whose own key is taken in a file by a field that is named by a column. */
export const renamed = (key: string): string => `nominal_${key}`;

/** The names that occur more than once, each once. */
export function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(names.filter((name) => seen.size === seen.add(name).size))];
}
