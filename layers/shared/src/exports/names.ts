/** Names of columns and tables as InfluxDB accepts them. */
import { keyOfColumn, measurementOfTable } from '../timestream/names';

/** The names of columns before the write endpoint escaped them. A name stays as it is if another column would have the same one. */
export function originalNames(columns: readonly string[]): ReadonlyMap<string, string> {
  const originals = columns.map(keyOfColumn);
  const isTwice = (name: string): boolean => originals.indexOf(name) !== originals.lastIndexOf(name);
  return new Map(columns.map((column) => [column, isTwice(keyOfColumn(column)) ? column : keyOfColumn(column)]));
}

/** As acceptedName, for the measurement of a table as it was before the write endpoint escaped it. It may not begin with `#` either. */
export function acceptedMeasurement(table: string): string {
  const plain = measurementOfTable(table).replace(/^#+/, (marks) => '_'.repeat(marks.length));
  return plain === 'time' ? plain : acceptedName(plain);
}

/**
 * The name to write. InfluxDB reserves `time` and names that begin with an underscore, and line protocol cannot hold a name that ends in a
 * backslash. Leading underscores go to the end, and the other names get one there: `_id` becomes `id_`, `time` becomes `time_`. While the
 * name is taken, it gets another underscore.
 */
export function acceptedName(name: string, isTaken: (name: string) => boolean = () => false): string {
  const [, underscores = '', rest = ''] = /^(_*)(.*)$/s.exec(name) ?? [];
  const isReserved = underscores !== '' || rest === 'time' || rest.endsWith('\\');
  // A name of underscores alone.
  const base = rest === '' ? 'column' : rest;
  let accepted = isReserved ? `${base}${underscores === '' ? '_' : underscores}` : name;
  while (isReserved && isTaken(accepted)) accepted += '_';
  return accepted;
}
