/** Stores records as rows: adds new columns, deletes replaced rows, appends the records. */
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Column, type Columns, measureColumns } from './columns';
import type { RecordShape, WriteRecord } from './record-shape';
import { INTERNAL } from './store';
import { FIXED_COLUMNS } from './stored-rows';
import { recordsOf, type Table } from './table';
import { createViewSql } from './views';

/** A record to store in row number `row`; `replaces` is the number of the row that it replaces. */
export interface NewRow {
  readonly record: WriteRecord;
  readonly row: number;
  readonly replaces: number | undefined;
}

const DUCKDB_TYPE: Readonly<Record<Column['type'], string>> = {
  VARCHAR: 'VARCHAR',
  BIGINT: 'BIGINT',
  DOUBLE: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  TIMESTAMP: 'BIGINT',
  MULTI: 'VARCHAR',
};

/** Rows of a chunk; DuckDB's vectors hold no more. */
const MAX_CHUNK = 2_048;

const isPhysical = ({ kind }: Column) => kind !== 'name';

/** Finds the columns of the dimensions and measures of a shape, in their order. */
function columnFinder(columns: Columns): (shape: RecordShape) => readonly number[] {
  // Physical columns are in the order in which they were added to the table.
  const physical = columns.all().filter(isPhysical);
  const positions = new Map(physical.map((column, i) => [column, FIXED_COLUMNS.length + i]));
  const known = new Map<RecordShape, readonly number[]>();
  return (shape) => {
    const before = known.get(shape);
    if (before !== undefined) return before;
    const wanted = [
      ...shape.dimensions.map((name) => ({ kind: 'dimension', name }) as const),
      ...measureColumns(shape),
    ];
    const found = wanted.map(({ kind, name }) => {
      const column = columns.get(kind, name);
      const position = column && positions.get(column);
      if (position === undefined) throw new Error(`no column for the ${kind} ${name}`);
      return position;
    });
    known.set(shape, found);
    return found;
  };
}

function fillChunk(appender: DuckDBAppender, columns: Columns, rows: readonly NewRow[]): DuckDBDataChunk {
  const types: DuckDBType[] = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
  const values: DuckDBValue[][] = types.map(() => new Array<DuckDBValue>(rows.length).fill(null));
  const columnsOf = columnFinder(columns);
  for (const [i, { record, row }] of rows.entries()) {
    const { shape, dimensions, measures, version, time } = record;
    const put = (column: number | undefined, value: DuckDBValue): void => {
      const list = values[column ?? -1];
      if (list !== undefined) list[i] = value;
    };
    for (const [column, value] of [BigInt(row), version, shape.measureName, time].entries()) put(column, value);
    const positions = columnsOf(shape);
    for (let at = 0; at < dimensions.length; at++) put(positions[at], dimensions[at] ?? null);
    for (let at = 0; at < measures.length; at++) put(positions[dimensions.length + at], measures[at] ?? null);
  }
  const chunk = DuckDBDataChunk.create(types, rows.length);
  chunk.setColumns(values);
  return chunk;
}

/** From this number of new columns on, one statement that copies the rows is faster than adding each column (about 1 ms each). */
const COPY_FROM = 4;

async function addColumns(connection: DuckDBConnection, table: Table, columns: Columns): Promise<void> {
  const records = `${INTERNAL}.${recordsOf(table)}`;
  const added = columns.since(table.columns);
  if (added.length === 0) return;
  const physical = added.filter(isPhysical);
  if (physical.length >= COPY_FROM) {
    const nulls = physical.map(({ id, type }) => `NULL::${DUCKDB_TYPE[type]} AS c${id}`);
    await connection.run(`CREATE OR REPLACE TABLE ${records} AS SELECT *, ${nulls.join(', ')} FROM ${records}`);
  } else {
    for (const { id, type } of physical) {
      await connection.run(`ALTER TABLE ${records} ADD COLUMN c${id} ${DUCKDB_TYPE[type]}`);
    }
  }
  if (physical.length > 0) await connection.run(createViewSql(table, columns));
  const appender = await connection.createAppender('columns', INTERNAL);
  try {
    for (const { id, kind, name, type } of added) {
      appender.appendInteger(table.id);
      appender.appendInteger(id);
      for (const text of [kind, name, type]) appender.appendVarchar(text);
      appender.endRow();
    }
  } finally {
    appender.closeSync();
  }
}

/** Stores the rows in the transaction of `connection`, and adds the columns that the table does not have yet. */
export async function appendRecords(
  connection: DuckDBConnection,
  table: Table,
  columns: Columns,
  rows: readonly NewRow[],
): Promise<void> {
  await addColumns(connection, table, columns);
  const replaced = rows.flatMap(({ replaces }) => replaces ?? []);
  if (replaced.length > 0) {
    // Rows are numbered in the order of writing, so DuckDB skips all but a few blocks.
    await connection.run(`DELETE FROM ${INTERNAL}.${recordsOf(table)} WHERE _row IN (${replaced.join(',')})`);
  }
  const appender = await connection.createAppender(recordsOf(table), INTERNAL);
  try {
    for (let from = 0; from < rows.length; from += MAX_CHUNK) {
      appender.appendDataChunk(fillChunk(appender, columns, rows.slice(from, from + MAX_CHUNK)));
    }
  } finally {
    appender.closeSync();
  }
}
