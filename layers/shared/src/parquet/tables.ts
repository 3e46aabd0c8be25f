/** Reads a Parquet file by row group into Arrow record batches in WebAssembly memory, one slice ahead of their use. */
import { type FFIStream, ParquetFile, wasmMemory } from 'parquet-wasm';
import { grouped } from '../count-text';
import { type ArrowColumn, columnsOfBatch, rowsOfBatch } from './c-data';
import { bytesOf, type ColumnInfo, type ParquetMetadata, type RowGroupInfo } from './metadata';
import { pagesProblem } from './pages';
import { physicalFooter } from './physical-footer';
import { RangeCache, RangedBlob, type ReadRange } from './ranged-blob';
import { SAMPLE_LIMITS, sampleSlices } from './sample';
import { UnreadableFile } from './unreadable';

/** Rows of a record batch: its columns fit into a processor's cache. */
export const BATCH_ROWS = 8192;
/**
 * A row group is decoded in slices of this many rows, so that memory contains its compressed bytes once and only a slice of its values.
 * Measured on 1,000,000 rows in one row group: 28 MB instead of 130 MB of WebAssembly memory, in the same time.
 */
const SLICE_ROWS = 8 * BATCH_ROWS;
const SLICE_BYTES = 64 * 1024 * 1024;
/** Row groups up to this size are fetched while the previous one is encoded. */
const FETCH_AHEAD_BYTES = 16 * 1024 * 1024;
/** Bytes of a decoded number. */
const NUMBER_BYTES = 8;

/** The decoder failed without a hint at the column. */
export class UndecodableRowGroup extends Error {
  override readonly name = 'UndecodableRowGroup';
}

export interface RecordBatch {
  readonly columns: readonly ArrowColumn[];
  readonly rows: number;
  /** In the file. */
  readonly firstRow: number;
}

export interface RowGroupRange {
  readonly firstRowGroup: number;
  readonly rowGroups: number;
  readonly maxRowGroupBytes: number;
}

interface OpenFile {
  readonly columns: readonly ColumnInfo[];
  readonly file: ParquetFile;
}

export class ParquetTables {
  private readonly cache: RangeCache;

  /** @param reading called with the row group that is being read. */
  constructor(
    readonly metadata: ParquetMetadata,
    read: ReadRange,
    private readonly size: number,
    private readonly reading: (rowGroup: number) => void,
  ) {
    this.cache = new RangeCache(read);
  }

  /**
   * Calls `use` with each record batch, and awaits `pause` after it. The views of a batch become invalid with the next `await`.
   * @param names columns to read; unknown columns, and columns that cannot be used, are ignored.
   * @throws UnreadableFile for an error in the file, UndecodableRowGroup if the decoder does not describe the error
   */
  async forEachBatch(
    range: RowGroupRange,
    names: readonly string[],
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const columns = this.metadata.columns.filter(({ name, type }) => names.includes(name) && type.kind !== 'unusable');
    if (columns.length === 0) return this.forEachEmptyBatch(range, use, pause);
    const opened = await this.open(columns, range);
    try {
      await this.readSlices(opened, this.slicesOf(range, columns), range, use, pause);
    } finally {
      opened.file.free();
    }
  }

  /**
   * Calls `use` with the record batches of a sample of the file: of up to 8 row groups, the first and the last rows.
   * @param sampleRows rows of the sample
   * @throws as forEachBatch does
   */
  async forEachSampleBatch(
    { sampleRows, maxRowGroupBytes }: { readonly sampleRows: number; readonly maxRowGroupBytes: number },
    names: readonly string[],
    use: (batch: RecordBatch) => void,
  ): Promise<void> {
    const columns = this.metadata.columns.filter(({ name, type }) => names.includes(name) && type.kind !== 'unusable');
    if (columns.length === 0) return;
    const range = { firstRowGroup: 0, rowGroups: this.metadata.rowGroups.length, maxRowGroupBytes };
    const opened = await this.open(columns, range);
    try {
      await this.readSlices(opened, this.sampleOf(columns, sampleRows, maxRowGroupBytes), range, use, () => undefined);
    } finally {
      opened.file.free();
    }
  }

  private async readSlices(
    opened: OpenFile,
    slices: Generator<Slice, undefined>,
    range: RowGroupRange,
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const following = (): Slice | undefined => slices.next().value ?? undefined;
    let slice = following();
    let ahead = slice && this.read(slice, opened, range);
    while (slice) {
      const stream = await ahead;
      const next = following();
      // Only one read runs at any time, and within a row group the bytes are already in the cache.
      const isCheap = next !== undefined && (next.offset > 0 || next.bytes <= FETCH_AHEAD_BYTES);
      ahead = isCheap ? this.read(next, opened, range) : undefined;
      ahead?.catch(() => undefined);
      if (stream) await this.useAll(stream, slice, isCheap ? next.rowGroup : slice.rowGroup, opened, use, pause);
      if (!isCheap && next) ahead = this.read(next, opened, range);
      slice = next;
    }
  }

  /** @param ahead the row group that is read during each pause */
  private async useAll(
    stream: FFIStream,
    { rowGroup, firstRow, limit }: Slice,
    ahead: number,
    { columns }: OpenFile,
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    let row = firstRow;
    try {
      for (let index = 0; index < stream.numArrays(); index++) {
        this.reading(rowGroup);
        // The memory may have been replaced since the last batch.
        const memory = wasmMemory().buffer;
        const array = stream.arrayAddr(index);
        const rows = rowsOfBatch(memory, array);
        use({ columns: columnsOfBatch(memory, array, columns), rows, firstRow: row });
        row += rows;
        this.reading(ahead);
        await pause();
      }
    } finally {
      stream.drop();
    }
    if (row - firstRow === limit) return;
    this.reading(rowGroup);
    throw new UnreadableFile(`corrupt: ${row - firstRow} of ${limit} rows could be decoded`);
  }

  /** Reports rows without columns. The pages of one column are still checked, as they prove how many rows there are. */
  private async forEachEmptyBatch(
    range: RowGroupRange,
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const smallest = this.smallestColumn(range);
    for (const { rowGroup, offset, firstRow, limit } of this.slicesOf(range, smallest)) {
      if (offset === 0) await this.fetchChunks(rowGroup, smallest, range.maxRowGroupBytes);
      for (let row = 0; row < limit; row += BATCH_ROWS) {
        use({ columns: [], rows: Math.min(BATCH_ROWS, limit - row), firstRow: firstRow + row });
        await pause();
      }
    }
  }

  /** The column that can be used and has the fewest bytes; empty if there are no rows. */
  private smallestColumn({ firstRowGroup, rowGroups }: RowGroupRange): ColumnInfo[] {
    const groups = this.metadata.rowGroups.slice(firstRowGroup, firstRowGroup + rowGroups);
    if (groups.every(({ rows }) => rows === 0)) return [];
    const bytes = ({ name }: ColumnInfo) => groups.reduce((sum, group) => sum + bytesOf(group, [name]), 0);
    const usable = this.metadata.columns.filter(({ type }) => type.kind !== 'unusable');
    const [smallest] = usable.map((column) => ({ column, size: bytes(column) })).sort((a, b) => a.size - b.size);
    if (!smallest) throw new UnreadableFile('it has no column that can be read, so that its rows cannot be counted');
    return [smallest.column];
  }

  /** Opens some row groups of the file as a file with another footer: the original bytes, followed by the bytes of that footer. */
  private async open(columns: readonly ColumnInfo[], { firstRowGroup, rowGroups }: RowGroupRange): Promise<OpenFile> {
    const footer = physicalFooter(columns, this.metadata.rowGroups.slice(firstRowGroup, firstRowGroup + rowGroups));
    const read: ReadRange = (start, end) =>
      start < this.size
        ? this.cache.read(start, end)
        : Promise.resolve(footer.slice(start - this.size, end - this.size).buffer as ArrayBuffer);
    const file = await ParquetFile.fromFile(new RangedBlob(read, 0, this.size + footer.length)).catch(undecodable);
    return { columns, file };
  }

  private async read(slice: Slice, { columns, file }: OpenFile, range: RowGroupRange): Promise<FFIStream> {
    const { rowGroup, offset, limit } = slice;
    if (offset === 0) await this.fetchChunks(rowGroup, columns, range.maxRowGroupBytes);
    // A whole row group is read without an offset, as there is nothing to skip.
    const part = offset === 0 && limit === this.group(rowGroup).rows ? {} : { offset, limit };
    const table = await file
      .read({ rowGroups: [rowGroup - range.firstRowGroup], batchSize: BATCH_ROWS, ...part })
      .catch(undecodable);
    return table.intoFFI();
  }

  /** Fetches a row group's column chunks, which parquet-wasm then finds in the cache, and checks them. Frees the previous row group. */
  private async fetchChunks(rowGroup: number, columns: readonly ColumnInfo[], maxPageBytes: number): Promise<void> {
    this.reading(rowGroup);
    this.cache.forget();
    const group = this.group(rowGroup);
    await Promise.all(
      columns.map(async ({ name }) => {
        const chunk = group.chunks.get(name);
        if (!chunk) return;
        const bytes = await this.cache.read(chunk.start, chunk.start + chunk.compressed);
        const problem = pagesProblem(bytes, group.rows, maxPageBytes);
        if (problem !== undefined) throw new UnreadableFile(`column ${name} ${problem}`);
      }),
    );
  }

  private *slicesOf(
    { firstRowGroup, rowGroups, maxRowGroupBytes }: RowGroupRange,
    columns: readonly ColumnInfo[],
  ): Generator<Slice, undefined> {
    const names = columns.map(({ name }) => name);
    let firstRow = this.metadata.rowGroups.slice(0, firstRowGroup).reduce((sum, { rows }) => sum + rows, 0);
    for (let rowGroup = firstRowGroup; rowGroup < firstRowGroup + rowGroups; rowGroup++) {
      const group = this.group(rowGroup);
      const bytes = this.checkedBytes(rowGroup, names, maxRowGroupBytes);
      const maxRows = sliceRows(group, names, maxRowGroupBytes);
      for (let offset = 0; offset < group.rows; offset += maxRows) {
        yield { rowGroup, offset, limit: Math.min(maxRows, group.rows - offset), firstRow: firstRow + offset, bytes };
      }
      firstRow += group.rows;
    }
    return undefined;
  }

  private *sampleOf(columns: readonly ColumnInfo[], rows: number, maxBytes: number): Generator<Slice, undefined> {
    const names = columns.map(({ name }) => name);
    const maxRows = (rowGroup: number) => sliceRows(this.group(rowGroup), names, maxBytes);
    for (const slice of sampleSlices(this.metadata, names, maxRows, { ...SAMPLE_LIMITS, rows })) {
      const before = this.metadata.rowGroups.slice(0, slice.rowGroup).reduce((sum, group) => sum + group.rows, 0);
      yield {
        ...slice,
        firstRow: before + slice.offset,
        bytes: this.checkedBytes(slice.rowGroup, names, maxBytes),
      };
    }
    return undefined;
  }

  /** The bytes of a row group's columns. @throws UnreadableFile if they are too many */
  private checkedBytes(rowGroup: number, names: readonly string[], max: number): number {
    const bytes = bytesOf(this.group(rowGroup), names);
    if (bytes <= max) return bytes;
    this.reading(rowGroup);
    throw tooLarge(bytes, max);
  }

  private group(index: number): RowGroupInfo {
    const group = this.metadata.rowGroups[index];
    if (!group)
      throw new UnreadableFile(
        `the file has ${this.metadata.rowGroups.length} row groups, so there is no row group ${index}`,
      );
    return group;
  }
}

interface Slice {
  readonly rowGroup: number;
  /** Rows within the row group. */
  readonly offset: number;
  readonly limit: number;
  readonly firstRow: number;
  /** Bytes of the row group's columns in the file. */
  readonly bytes: number;
}

/**
 * Rows of a slice. parquet-wasm panics when it skips miniblocks of more than 64 values, which DuckDB writes in columns of
 * DELTA_BINARY_PACKED: a row group with such a column is read whole, if memory allows.
 */
function sliceRows(group: RowGroupInfo, columns: readonly string[], maxBytes: number): number {
  const chunks = columns.flatMap((column) => group.chunks.get(column) ?? []);
  const isPacked = chunks.some(({ encodings }) => encodings.includes('DELTA_BINARY_PACKED'));
  const decoded = chunks.reduce((sum, { uncompressed }) => sum + Math.max(uncompressed, NUMBER_BYTES * group.rows), 0);
  if (isPacked && decoded <= maxBytes) return Math.max(1, group.rows);
  const bytes = chunks.reduce((sum, { uncompressed }) => sum + uncompressed, 0);
  return Math.max(1, Math.min(SLICE_ROWS, Math.floor((group.rows * SLICE_BYTES) / Math.max(1, bytes))));
}

function tooLarge(bytes: number, max: number): UnreadableFile {
  const [have, limit] = inUnits(bytes, max);
  return new UnreadableFile(
    `the columns to read have ${have}, the limit is ${limit}: write the file with smaller row groups ` +
      '(row_group_size in pyarrow, ROW_GROUP_SIZE in DuckDB), or give the loader more memory and raise the limit',
  );
}

/** Both sizes in the largest unit in which they differ. */
function inUnits(bytes: number, max: number): string[] {
  const megabytes = [bytes, max].map((size) => `${grouped(Math.ceil(size / 1024 / 1024))} MB`);
  return megabytes[0] === megabytes[1] ? [bytes, max].map((size) => `${grouped(size)} bytes`) : megabytes;
}

function undecodable(error: unknown): never {
  // Any panic leaves the module broken, whether or not a promise reports it.
  if (error instanceof Error && error.name === 'RuntimeError') throw error;
  throw new UndecodableRowGroup(error instanceof Error ? error.message : String(error), { cause: error });
}
