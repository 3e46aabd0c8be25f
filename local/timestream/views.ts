/** Makes the view of a table that queries read: dimensions, measure_name, time and measures, under names that DuckDB can distinguish. */
import type { Column, Columns } from './columns';
import { INTERNAL, quoted } from './store';
import { recordsOf, schemaOf, type Table } from './table';

/** DuckDB ignores the case of names, Timestream does not: a name that differs only in case gets a number. */
function distinct(name: string, taken: Set<string>): string {
  let result = name;
  for (let n = 1; taken.has(result.toLowerCase()); n++) result = `${name}_${n}`;
  taken.add(result.toLowerCase());
  return result;
}

/** A name for the view of a new table that differs from the views of existing tables. */
export const viewNameFor = (name: string, tables: readonly Table[]): string =>
  distinct(name, new Set(tables.map(({ view }) => view.toLowerCase())));

// DuckDB uses the last nanosecond for infinity, and make_timestamp_ns refuses it.
const timestamp = (column: string) =>
  `CASE WHEN ${column} = 9223372036854775807 THEN TIMESTAMP_NS 'infinity' ELSE make_timestamp_ns(${column}) END`;

const fixed = (name: string) => ({ name, viewName: name });

export interface ViewColumn {
  readonly name: string;
  /** The name in the view. It differs from `name` if an earlier column's name differs only in case. */
  readonly viewName: string;
  readonly expression: string;
  readonly type: string;
  /** The attribute type in the result of DESCRIBE. */
  readonly attribute: 'DIMENSION' | 'MEASURE_NAME' | 'TIMESTAMP' | 'MULTI' | 'MEASURE_VALUE';
}

/** The columns of a table's view, in the order of `SELECT *`. */
export function viewColumns(columns: Columns): readonly ViewColumn[] {
  const all = columns.all();
  const taken = new Set(['measure_name', 'time']);
  const column = (attribute: ViewColumn['attribute']) => (it: Column) => ({
    name: it.name,
    viewName: distinct(it.name, taken),
    expression: it.type === 'TIMESTAMP' ? timestamp(`c${it.id}`) : `c${it.id}`,
    type: it.type.toLowerCase(),
    attribute,
  });
  return [
    ...all.filter(({ kind }) => kind === 'dimension').map(column('DIMENSION')),
    { ...fixed('measure_name'), expression: 'measure_name', type: 'varchar', attribute: 'MEASURE_NAME' },
    { ...fixed('time'), expression: timestamp('time'), type: 'timestamp', attribute: 'TIMESTAMP' },
    ...all.filter(({ kind }) => kind === 'single').map(column('MEASURE_VALUE')),
    ...all.filter(({ kind }) => kind === 'measure').map(column('MULTI')),
  ];
}

export function createViewSql(table: Table, columns: Columns): string {
  const list = viewColumns(columns).map(({ viewName, expression }) => `${expression} AS ${quoted(viewName)}`);
  return `CREATE OR REPLACE VIEW ${schemaOf(table.database)}.${quoted(table.view)} AS
    SELECT ${list.join(', ')} FROM ${INTERNAL}.${recordsOf(table)}`;
}
