/**
 * What the batches leave in a bucket: written straight into InfluxDB, and through the connector, Timestream and a migration. The second is
 * the first with the differences that docs/differences.md lists, each counted.
 */
import { sorted, type Value } from '../differential/stored';
import type { Batch, Field, Line } from './batches';

export interface Way {
  readonly table: 'multi-table' | 'single-table';
  readonly escapeNames: boolean;
  readonly measureName: 'tag' | 'drop';
}

type Points = Map<string, Omit<Value, 'field' | 'type' | 'value'> & { readonly fields: Map<string, Field> }>;

const keyOf = ({ measurement, tags, time }: Line): string => JSON.stringify([measurement, sorted(tags), String(time)]);

/** InfluxDB keeps the last value of each field of a point. */
export function written(batches: readonly Batch[]): Value[] {
  const points: Points = new Map();
  for (const line of batches.flatMap(({ lines }) => lines)) put(points, line, line.fields);
  return valuesOf(points);
}

function put(points: Points, line: Line, fields: readonly Field[]): void {
  const { measurement, tags, time } = line;
  const point = points.get(keyOf(line)) ?? { measurement, tags: sorted(tags), time, fields: new Map<string, Field>() };
  for (const field of fields) point.fields.set(field.field, field);
  points.set(keyOf(line), point);
}

const valuesOf = (points: Points): (Value & Field)[] =>
  [...points.values()].flatMap(({ fields, ...point }) => [...fields.values()].map((field) => ({ ...point, ...field })));

// Sources: docs/differences.md, and "Naming constraints" in the Timestream developer guide.
const isReserved = (name: string): boolean =>
  ['measure_value', 'time'].includes(name) || /^(?:ts_|measure_name)/.test(name);
const MAX_INT64 = 2n ** 63n - 1n;

/** The class of a line that the connector refuses with 422; undefined if it stores the line. */
function refusal({ measurement, tags, time, fields }: Line, { table, escapeNames }: Way): string | undefined {
  if (tags.length === 0) return 'points without tags';
  if (time < 0n) return 'times before 1970';
  if (time > 4_000_000_000_000_000_000n) return 'times in the future';
  if (fields.some(({ type, value }) => type === 'integer' && BigInt(value) > MAX_INT64))
    return 'unsigned values above int64';
  if (!escapeNames) {
    const columns = [...tags.map(([name]) => name), ...fields.map(({ field }) => field)];
    // In one table the measurement is the measure name.
    if ((table === 'single-table' ? [measurement, ...columns] : columns).some(isReserved))
      return 'names reserved by Timestream';
    if (tags.some(([name]) => name.includes(':'))) return 'colons in tag names';
    if (table === 'multi-table' && !/^[a-zA-Z0-9_.-]+$/.test(measurement))
      return 'measurements that are not valid table names';
  }
  return fields.every(isEmpty) ? 'empty strings' : undefined;
}

const isEmpty = ({ type, value }: Field): boolean => type === 'string' && value === '';

export interface Migrated {
  readonly values: readonly Value[];
  /** Values that are missing or different, by class. */
  readonly classes: ReadonlyMap<string, number>;
}

/** @param tableName the table of single-table */
export function migrated(batches: readonly Batch[], way: Way, tableName: string): Migrated {
  const classes = new Map<string, number>();
  const count = (name: string, values: number): void => {
    if (values > 0) classes.set(name, (classes.get(name) ?? 0) + values);
  };
  const stored: Points = new Map();
  for (const { lines } of batches) {
    // A request replaces the whole record of a point; lines of one request are merged.
    const records: Points = new Map();
    for (const line of lines) {
      const refused = refusal(line, way);
      if (refused !== undefined) {
        count(refused, line.fields.length);
        continue;
      }
      count('empty strings', line.fields.filter(isEmpty).length);
      put(
        records,
        line,
        line.fields.filter((field) => !isEmpty(field)),
      );
    }
    for (const [key, record] of records) {
      const lost = [...(stored.get(key)?.fields.keys() ?? [])].filter((field) => !record.fields.has(field));
      count('the same point with other fields', lost.length);
      stored.set(key, record);
    }
  }
  const values = valuesOf(stored).map((value) => {
    if (value.tags.some(([, text]) => text.includes('\n'))) count('line breaks in tag values', 1);
    if (value.isUnsigned) count('unsigned integers', 1);
    if (hasTagOfField(value)) count('a tag and a field with the same name', 1);
    if (namesOf(value, way).some((name) => accepted(name) !== name)) count('names reserved by InfluxDB', 1);
    return atTarget(value, way, tableName);
  });
  return { values, classes };
}

const hasTagOfField = ({ tags, field }: Value): boolean => tags.some(([name]) => name === field);
const namesOf = ({ measurement, tags, field }: Value, { table }: Way): string[] => [
  ...(table === 'multi-table' ? [measurement] : []),
  ...tags.map(([name]) => name),
  field,
];

/** Underscores at the start of a name move to its end, because InfluxDB reserves such names. */
const accepted = (name: string): string => name.replace(/^(_+)(.*)$/s, '$2$1').replace(/^time$/, 'time_');

function atTarget(value: Value, { table, measureName }: Way, tableName: string): Value {
  const { measurement, tags, field } = value;
  const isSingle = table === 'single-table';
  const measure = isSingle ? measurement : 'influxdb-measure';
  const renamed = tags.map(([name, text]) => [accepted(name), text.replaceAll('\n', '\\n')] as const);
  return {
    ...value,
    measurement: isSingle ? tableName : accepted(measurement),
    tags: sorted(measureName === 'tag' ? [...renamed, ['measure_name', measure] as const] : renamed),
    field: accepted(hasTagOfField(value) ? `${field}_field` : field),
  };
}
