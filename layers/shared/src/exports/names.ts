/** Names of columns and tables as InfluxDB accepts them. */

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

/** As acceptedName, for a measurement: it may not begin with `#` either. */
export function acceptedMeasurement(name: string): string {
  const plain = name.replace(/^#+/, (marks) => '_'.repeat(marks.length));
  return plain === 'time' ? plain : acceptedName(plain);
}
