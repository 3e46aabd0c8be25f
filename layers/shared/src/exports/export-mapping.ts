/** Derives the mapping of a table from the columns of its export: which columns are tags, which are fields, and of which type. */
import { createHash } from 'node:crypto';
import { type DatasetMapping, parseMappings } from '../datasets/mapping';
import { ConfigurationError, DataConversionError } from '../errors';
import type { ExportColumn } from './metadata';
import { acceptedMeasurement, acceptedName, originalNames } from './names';
import type { ExportOptions } from './options';
import type { ExportQuery } from './survey';

const TIME = 'time';
const MEASURE_NAME = 'measure_name';
/** The columns of single-measure records: `measure_value::double` and others. */
const SINGLE = /^measure_value::/;
/** What connectors write, this one by its default. */
const DEFAULT_MEASURE_NAME = 'influxdb-measure';

/** Types of fields by the column's type. Other scalar types become text. */
const FIELD_TYPES: Readonly<Record<string, string>> = {
  DOUBLE: 'float',
  REAL: 'float',
  BIGINT: 'integer',
  INTEGER: 'integer',
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
  DATE: 'string',
  TIME: 'string',
  INTERVAL_DAY_TO_SECOND: 'string',
  INTERVAL_YEAR_TO_MONTH: 'string',
};

interface Columns extends Pick<ExportQuery, 'partitions' | 'format'> {
  readonly columns: readonly ExportColumn[];
}

export interface ExportMapping {
  readonly mapping: DatasetMapping;
  /** Columns that are not loaded: partition columns, and the `<column>_ns` of AWS's scripts. */
  readonly leftOut: readonly string[];
}

/**
 * The mapping of a query's files.
 * @param table its name; the measurement unless the options name one
 * @throws DataConversionError if the columns cannot be mapped, with what to give
 */
export function exportMapping(table: string, query: Columns, options: ExportOptions): ExportMapping {
  const { rename, measureName, timestamps } = options;
  const leftOut = query.columns.map(({ name }) => name).filter((name) => isLeftOut(name, query, options));
  const columns = query.columns.filter(({ name }) => !leftOut.includes(name));
  const names = new Set(columns.map(({ name }) => name));
  if (!columns.some(({ name, type }) => name === TIME && type === 'TIMESTAMP')) {
    throw new DataConversionError(`the export of ${table} has no column ${TIME} of type TIMESTAMP`);
  }
  const dimensions = dimensionsOf(table, columns, options);
  const isDropped = (name: string): boolean =>
    name === MEASURE_NAME && (measureName === 'drop' || measureName === 'pivot');
  const originals = originalNames([...names].filter((name) => name !== TIME && !isDropped(name)));
  const used = new Set([...originals.values(), ...Object.values(rename)]);
  const keyOf = (name: string) =>
    rename[name] ?? acceptedName(originals.get(name) ?? name, (accepted) => used.has(accepted));
  const isTag = (name: string): boolean =>
    name === MEASURE_NAME ? measureName === 'tag' : dimensions.has(name) && !options.dimensionsToFields.includes(name);

  const tags = columns.filter(({ name }) => name !== TIME && isTag(name));
  const measures = columns.filter(({ name }) => name !== TIME && !isTag(name) && !isDropped(name));
  const isPivoted = (name: string): boolean => measureName === 'pivot' && SINGLE.test(name);
  if (measureName === 'pivot' && !(names.has(MEASURE_NAME) && measures.some(({ name }) => isPivoted(name)))) {
    throw new DataConversionError(
      `the export of ${table} has no ${MEASURE_NAME} with measure_value columns, so it cannot be pivoted. Use another measureName`,
    );
  }
  const mapping = {
    name: slug(table),
    measurement: options.measurement ?? acceptedMeasurement(table),
    time: { column: TIME },
    tags: {
      optional: tags.map(({ name }) => (keyOf(name) === name ? name : { column: name, name: keyOf(name) })),
      verbatim: true,
    },
    fields: measures.map((column) => ({
      column: column.name,
      ...fieldType(table, column, query.format, timestamps),
      ...(isPivoted(column.name) && { named: { by: MEASURE_NAME } }),
      ...(!isPivoted(column.name) && keyOf(column.name) !== column.name && { name: keyOf(column.name) }),
    })),
    ...(measureName === 'drop' &&
      names.has(MEASURE_NAME) && { expect: { [MEASURE_NAME]: options.measureNameValue ?? DEFAULT_MEASURE_NAME } }),
  };
  return { mapping: checked(table, mapping), leftOut };
}

/** The names in the options that no column of any query has: misspelt names. */
export function unknownNames(
  queries: readonly Pick<ExportQuery, 'columns'>[],
  { dimensions = [], dimensionsToFields, rename }: ExportOptions,
): string[] {
  const known = new Set(queries.flatMap(({ columns = [] }) => columns.map(({ name }) => name)));
  const named = [...dimensions, ...dimensionsToFields, ...Object.keys(rename)];
  return [...new Set(named)].filter((name) => !known.has(name));
}

/** A column that the options name is never left out. */
function isLeftOut(name: string, { columns, partitions }: Columns, options: ExportOptions): boolean {
  const { dimensions = [], dimensionsToFields, rename } = options;
  if (name === MEASURE_NAME || dimensions.includes(name) || dimensionsToFields.includes(name)) return false;
  if (Object.hasOwn(rename, name)) return false;
  if (partitions.has(name)) return true;
  const column = columns.find((each) => each.name === name);
  const source = columns.find((each) => `${each.name}_ns` === name);
  return column?.type === 'BIGINT' && source?.type === 'TIMESTAMP';
}

/** By the options; else the columns of text before `measure_name`, where SELECT * puts the dimensions. */
function dimensionsOf(table: string, columns: readonly ExportColumn[], options: ExportOptions): ReadonlySet<string> {
  const given = options.dimensions && [...options.dimensions, ...options.dimensionsToFields];
  if (given) return new Set(given);
  const end = columns.findIndex(({ name }) => name === MEASURE_NAME);
  if (end < 0) {
    throw new DataConversionError(
      `the export of ${table} has no column ${MEASURE_NAME}, so its dimensions cannot be told from its measures: give the dimensions`,
    );
  }
  const before = columns.slice(0, end).filter(({ type }) => type === 'VARCHAR');
  return new Set([...before.map(({ name }) => name), ...options.dimensionsToFields]);
}

function fieldType(
  table: string,
  { name, type }: ExportColumn,
  format: Columns['format'],
  timestamps: ExportOptions['timestamps'],
): object {
  if (type === 'TIMESTAMP') return { type: 'timestamp', as: timestamps };
  const known = FIELD_TYPES[type];
  if (known !== undefined) return { type: known };
  // CSV has arrays, rows and time series as JSON.
  if (format === 'CSV') return { type: 'string' };
  throw new DataConversionError(
    `column ${name} of ${table} has the type ${type}, which a field cannot hold: export it as text or leave it out of the SELECT`,
  );
}

/** A name of a mapping may have lower-case letters, digits, `-` and `_`. Other names get a hash, so that two tables never share one. */
function slug(table: string): string {
  const plain = table
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .replace(/^[_-]+/, '');
  if (plain === table) return plain;
  return `${plain}${plain === '' ? '' : '-'}${createHash('sha256').update(table).digest('hex').slice(0, 8)}`;
}

function checked(table: string, mapping: object): DatasetMapping {
  try {
    const [parsed] = parseMappings(JSON.stringify(mapping), `the mapping of ${table}`);
    if (parsed) return parsed;
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw new DataConversionError(cause.problems.join('; '), { cause });
    throw cause;
  }
  throw new DataConversionError(`the export of ${table} has no columns`);
}
