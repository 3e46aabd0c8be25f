/** Reads the rows of a table in the store as records. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { Column } from './columns';
import type { Scalar } from './measure-value';
import { hashOf } from './record-hash';
import { RecordShape, type WriteRecord } from './record-shape';
import { RowIndex } from './row-index';
import { INTERNAL, type Store } from './store';
import { recordsOf, type Table } from './table';

/** The columns before those of dimensions and measures. */
export const FIXED_COLUMNS = ['_row', '_version', 'measure_name', 'time'];

type Row = readonly [row: number, record: WriteRecord];

/** The shape of a row, and the positions of its dimensions and measures among the columns that were read. */
interface RowShape {
  readonly shape: RecordShape;
  readonly dimensions: readonly number[];
  readonly measures: readonly number[];
}

/** @param isPresent whether the row has a value in each of the columns */
function rowShape(table: Table, columns: readonly Column[], measureName: string, isPresent: string): RowShape {
  const type = table.columns.get('name', measureName)?.type ?? 'MULTI';
  const positions = (wanted: (column: Column) => boolean): number[] =>
    columns.flatMap((column, at) => (isPresent[at] === '1' && wanted(column) ? [at] : []));
  const namesAt = (found: readonly number[]): string[] => found.map((at) => columns[at]?.name ?? '');
  const dimensions = positions(({ kind }) => kind === 'dimension');
  const measures = positions(({ kind }) => kind === 'measure' || kind === 'single');
  const names = type === 'MULTI' ? namesAt(measures) : measures.map(() => measureName);
  const shapes = measures.flatMap((at, i) => {
    const { type } = columns[at] ?? {};
    return type === undefined || type === 'MULTI' ? [] : [{ name: names[i] ?? '', type }];
  });
  return { shape: new RecordShape(namesAt(dimensions), measureName, type, shapes), dimensions, measures };
}

/** Reads rows with the given columns. @param condition of SQL; by default all rows */
async function* readRows(store: Store, table: Table, columns: readonly Column[], condition = ''): AsyncGenerator<Row> {
  const names = [...FIXED_COLUMNS, ...columns.map(({ id }) => `c${id}`)];
  const shapes = new Map<string, RowShape>();
  const sql = `SELECT ${names.join(', ')} FROM ${INTERNAL}.${recordsOf(table)} ${condition}`;
  for await (const [rows, versions, measureNames, times, ...values] of store.columns<
    [bigint, bigint, string, bigint, ...DuckDBValue[]]
  >(sql)) {
    for (const [i, row] of rows.entries()) {
      const measureName = measureNames[i] ?? '';
      let isPresent = '';
      for (const list of values) isPresent += list[i] === null ? '0' : '1';
      const key = isPresent + measureName;
      const found = shapes.get(key) ?? rowShape(table, columns, measureName, isPresent);
      shapes.set(key, found);
      const at = (position: number): DuckDBValue => values[position]?.[i] ?? null;
      const record = {
        shape: found.shape,
        dimensions: found.dimensions.map((position) => at(position) as string),
        measures: found.measures.map((position) => at(position) as Scalar),
        time: times[i] ?? 0n,
        version: versions[i] ?? 0n,
      };
      yield [Number(row), record];
    }
  }
}

/** Reads the rows with these numbers. */
export async function readStored(
  store: Store,
  table: Table,
  rows: readonly number[],
): Promise<ReadonlyMap<number, WriteRecord>> {
  const found = new Map<number, WriteRecord>();
  if (rows.length === 0) return found;
  const columns = table.columns.all().filter(({ kind }) => kind !== 'name');
  // Rows are numbered in the order of writing, so DuckDB skips all but a few blocks.
  const condition = `WHERE _row IN (${rows.join()})`;
  for await (const [row, record] of readRows(store, table, columns, condition)) found.set(row, record);
  return found;
}

/** Digests that earlier versions of this program stored with each record. */
const FORMER_COLUMNS = ['_id', '_values'];

/** The index of a table, from all its rows. */
export async function loadIndex(store: Store, table: Table): Promise<RowIndex> {
  for (const column of FORMER_COLUMNS) {
    await store.run(`ALTER TABLE ${INTERNAL}.${recordsOf(table)} DROP COLUMN IF EXISTS ${column}`);
  }
  const index = new RowIndex();
  const dimensions = table.columns.all().filter(({ kind }) => kind === 'dimension');
  for await (const [row, record] of readRows(store, table, dimensions)) index.add(hashOf(record), row);
  return index;
}
