/** Reads objects whose keys come from outside: a column may be named `constructor` or `toString`, as properties that every object has. */

/** The object's own value of the key; undefined without one. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
