/** Stores records as rows: adds new columns, deletes replaced rows, appends the records. */
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Column, type Columns, columnOfMeasure } from './columns';
import type { WriteRecord } from './record';
import { INTERNAL } from './store';
import { recordsOf, type Table } from './table';
import type { StoredVersion } from './version-index';
import { createViewSql } from './views';

/** A record to store; `replaces` is the number of the row that it replaces. */
export interface NewRow extends StoredVersion {
  readonly id: string;
  readonly record: WriteRecord;
  readonly replaces: bigint | undefined;
}

/** The number of columns before those of dimensions and measures. */
const FIXED = 6;

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

function fillChunk(appender: DuckDBAppender, columns: Columns, rows: readonly NewRow[]): DuckDBDataChunk {
  const types: DuckDBType[] = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
  const values: DuckDBValue[][] = types.map(() => new Array<DuckDBValue>(rows.length).fill(null));
  // Physical columns are in the order in which they were added to the table.
  const position = new Map(
    columns
      .all()
      .filter(isPhysical)
      .map(({ id }, i) => [id, FIXED + i]),
  );
  const put = (kind: Column['kind'], name: string, row: number, value: DuckDBValue) => {
    const list = values[position.get(columns.get(kind, name)?.id ?? -1) ?? -1];
    if (!list) throw new Error(`no column for the ${kind} ${name}`);
    list[row] = value;
  };
  rows.forEach(({ record, row, id, version, values: digest }, i) => {
    [row, id, version, digest, record.measureName, record.time].forEach((value, column) => {
      const list = values[column];
      if (list) list[i] = value;
    });
    for (const { name, value } of record.dimensions) put('dimension', name, i, value);
    for (const measure of record.measures) {
      const column = columnOfMeasure(record, measure);
      put(column.kind, column.name, i, measure.value);
    }
  });
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
