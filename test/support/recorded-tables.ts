/** Reads Parquet bytes in this process, and records which ranges are fetched. */
import { readFooter } from 'shared/parquet/footer';
import type { ParquetMetadata } from 'shared/parquet/metadata';
import { ParquetTables } from 'shared/parquet/tables';
import { cellText } from 'shared/points/cell-text';

interface RecordedTables {
  readonly metadata: ParquetMetadata;
  readonly tables: ParquetTables;
  /** Whether a byte between `start` and `end` was fetched. */
  isFetched(start: number, end: number): boolean;
  /** All ranges that were fetched. */
  readonly fetched: readonly (readonly [start: number, end: number])[];
}

export function recordedTables(file: Uint8Array): RecordedTables {
  const metadata = readFooter(file, file.length);
  const fetched: [number, number][] = [];
  const read = (start: number, end: number) => {
    fetched.push([start, end]);
    return Promise.resolve(new Uint8Array(file.subarray(start, end)).buffer);
  };
  return {
    metadata,
    tables: new ParquetTables(metadata, read, file.length, () => undefined),
    isFetched: (start, end) => fetched.some(([from, to]) => from < end && start < to),
    fetched,
  };
}

/** The values of columns as text, by row; null for a missing value. */
export async function textsOf(
  { metadata, tables }: RecordedTables,
  names: readonly string[],
): Promise<Map<string, (string | null)[]>> {
  const texts = new Map(names.map((name): [string, (string | null)[]] => [name, []]));
  const range = { firstRowGroup: 0, rowGroups: metadata.rowGroups.length, maxRowGroupBytes: 1e9 };
  await tables.forEachBatch(
    range,
    names,
    ({ columns, rows, firstRow }) => {
      const readers = new Map(columns.map((column) => [column.name, cellText(column)]));
      for (const [name, values] of texts) {
        if (values.length !== firstRow)
          throw new Error(`a batch begins at row ${firstRow} after ${values.length} rows`);
        for (let row = 0; row < rows; row++) values.push(readers.get(name)?.(row) ?? null);
      }
    },
    () => undefined,
  );
  return texts;
}
