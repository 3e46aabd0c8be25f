/** Stores records as rows: adds the columns that are new, removes what is replaced, appends, all in one transaction. */
import { type DuckDBAppender, DuckDBDataChunk, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import { recordsOf, type Table } from './catalog';
import { type Column, type Columns, columnOfMeasure } from './columns';
import type { WriteRecord } from './record';
import { INTERNAL, type Store } from './store';
import type { StoredVersion } from './version-index';
import { createViewSql } from './views';

/** A record to store; `replaces` is the row that goes for it. */
export interface NewRow extends StoredVersion {
  readonly id: string;
  readonly record: WriteRecord;
  readonly replaces: bigint | undefined;
}

/** The columns of the records table before those of dimensions and measures. */
const FIXED = 6;

const DUCKDB_TYPE: Readonly<Record<Column['type'], string>> = {
  VARCHAR: 'VARCHAR',
  BIGINT: 'BIGINT',
  DOUBLE: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  TIMESTAMP: 'BIGINT',
  MULTI: 'VARCHAR',
};

const isPhysical = ({ kind }: Column) => kind !== 'name';

function fillChunk(appender: DuckDBAppender, columns: Columns, rows: readonly NewRow[]): DuckDBDataChunk {
  const types: DuckDBType[] = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
  const values: DuckDBValue[][] = types.map(() => new Array<DuckDBValue>(rows.length).fill(null));
  // Physical columns are in the order in which the table learnt them.
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

/** Stores the rows in the table, whose columns become `columns`. Only inside the store's `exclusive`. */
export async function appendRecords(
  store: Store,
  table: Table,
  columns: Columns,
  rows: readonly NewRow[],
): Promise<void> {
  const records = `${INTERNAL}.${recordsOf(table)}`;
  const added = columns.since(table.columns);
  const replaced = rows.flatMap(({ replaces }) => replaces ?? []);
  await store.transaction(async (connection) => {
    for (const { id, kind, name, type } of added) {
      if (kind !== 'name') await connection.run(`ALTER TABLE ${records} ADD COLUMN c${id} ${DUCKDB_TYPE[type]}`);
      await connection.run(`INSERT INTO ${INTERNAL}.columns VALUES ($1, $2, $3, $4, $5)`, [
        table.id,
        id,
        kind,
        name,
        type,
      ]);
    }
    if (added.some(isPhysical)) await connection.run(createViewSql(table, columns));
    // Rows are numbered in the order of writing, so DuckDB skips all but a few blocks.
    if (replaced.length > 0) await connection.run(`DELETE FROM ${records} WHERE _row IN (${replaced.join(',')})`);
    const appender = await connection.createAppender(recordsOf(table), INTERNAL);
    try {
      appender.appendDataChunk(fillChunk(appender, columns, rows));
    } finally {
      appender.closeSync();
    }
  });
  table.columns = columns;
}
