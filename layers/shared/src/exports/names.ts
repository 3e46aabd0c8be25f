/** Names of columns and tables as InfluxDB accepts them. */
import { keyOfColumn, measurementOfTable } from '../timestream/names';

/**
 * The name to write for a column. A name that the write endpoint escaped is the name before, unless another column has that name. InfluxDB reserves
 * `time` and names that begin with an underscore, and line protocol cannot hold a name that ends in a backslash. Leading underscores go to the end, and the other names get one there: `_id` becomes `id_`, `time` becomes `time_`. While the
 * name is taken, it gets another underscore.
 */
export function acceptedName(column: string, isTaken: (name: string) => boolean = () => false): string {
  const original = keyOfColumn(column);
  return withoutReserved(original !== column && isTaken(original) ? column : original, isTaken);
}

/** As acceptedName, for the measurement of a table: it may not begin with `#` either. */
export function acceptedMeasurement(table: string): string {
  const plain = measurementOfTable(table).replace(/^#+/, (marks) => '_'.repeat(marks.length));
  return plain === 'time' ? plain : withoutReserved(plain, () => false);
}

function withoutReserved(name: string, isTaken: (name: string) => boolean): string {
  const [, underscores = '', rest = ''] = /^(_*)(.*)$/s.exec(name) ?? [];
  const isReserved = underscores !== '' || rest === 'time' || rest.endsWith('\\');
  // A name of underscores alone.
  const base = rest === '' ? 'column' : rest;
  let accepted = isReserved ? `${base}${underscores === '' ? '_' : underscores}` : name;
  while (isReserved && isTaken(accepted)) accepted += '_';
  return accepted;
}
