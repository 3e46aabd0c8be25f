/** Reads a Parquet file by row group into Arrow record batches in WebAssembly memory, one slice ahead of their use. */
import { type FFIStream, ParquetFile, wasmMemory } from 'parquet-wasm';
import { grouped } from '../count-text';
import { type ArrowColumn, columnsOfBatch, rowsOfBatch } from './c-data';
import { ChunkCache } from './chunk-cache';
import { bytesOf, type ColumnInfo, type ParquetMetadata, type RowGroupInfo } from './metadata';
import { pagesProblem } from './pages';
import { physicalFooter } from './physical-footer';
import { RangedBlob, type ReadRange } from './ranged-blob';
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

interface OpenRowGroup {
  readonly index: number;
  readonly file: ParquetFile;
}

export class ParquetTables {
  private readonly cache: ChunkCache;
  private opened: OpenRowGroup | undefined;

  /** @param reading called with the row group that is being read. */
  constructor(
    readonly metadata: ParquetMetadata,
    read: ReadRange,
    private readonly size: number,
    private readonly reading: (rowGroup: number) => void,
  ) {
    this.cache = new ChunkCache(read);
  }

  /**
   * Calls `use` with each record batch, and awaits `pause` after it. The views of a batch become invalid with the next `await`.
   * A batch has only the columns with a value in it, so that a row group's columns without a value are neither fetched nor decoded.
   * @param names columns to read; unknown columns, and columns that cannot be used, are ignored.
   * @throws UnreadableFile for an error in the file, UndecodableRowGroup if the decoder does not describe the error
   */
  async forEachBatch(
    range: RowGroupRange,
    names: readonly string[],
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const wanted = new Set(names);
    const columns = this.metadata.columns.filter(({ name, type }) => wanted.has(name) && type.kind !== 'unusable');
    try {
      await this.readSlices(this.slicesOf(range, columns), range.maxRowGroupBytes, use, pause);
    } finally {
      this.close();
    }
  }

  private async readSlices(
    slices: Iterator<Slice, undefined>,
    maxPageBytes: number,
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const following = (): Slice | undefined => slices.next().value ?? undefined;
    const read = (slice: Slice) => this.read(slice, maxPageBytes);
    let slice = following();
    let ahead = slice && read(slice);
    while (slice) {
      const stream = await ahead;
      const next = following();
      // Only one read runs at any time, and within a row group the bytes are already in the cache.
      const isCheap = next !== undefined && (next.offset > 0 || next.bytes <= FETCH_AHEAD_BYTES);
      ahead = isCheap ? read(next) : undefined;
      ahead?.catch(() => undefined);
      if (stream) await this.useAll(stream, slice, isCheap ? next.rowGroup : slice.rowGroup, use, pause);
      else await useEmpty(slice, use, pause);
      if (!isCheap && next) ahead = read(next);
      slice = next;
    }
  }

  /** @param ahead the row group that is read during each pause */
  private async useAll(
    stream: FFIStream,
    { rowGroup, firstRow, limit, columns }: Slice,
    ahead: number,
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

  /** Reads a slice; the result is undefined if it has no columns to decode. The first slice of a row group must be read first. */
  private async read(slice: Slice, maxPageBytes: number): Promise<FFIStream | undefined> {
    const { rowGroup, offset, limit, columns, proof } = slice;
    if (offset === 0) await this.fetchChunks(rowGroup, [...columns, ...proof], maxPageBytes);
    if (columns.length === 0) return undefined;
    const file = await this.open(rowGroup, columns);
    // A whole row group is read without an offset, as there is nothing to skip.
    const part = offset === 0 && limit === this.group(rowGroup).rows ? {} : { offset, limit };
    const table = await file.read({ rowGroups: [0], batchSize: BATCH_ROWS, ...part }).catch(undecodable);
    return table.intoFFI();
  }

  /** Opens a row group as a file with another footer: the original bytes, followed by the bytes of that footer. */
  private async open(rowGroup: number, columns: readonly ColumnInfo[]): Promise<ParquetFile> {
    if (this.opened?.index === rowGroup) return this.opened.file;
    this.close();
    const footer = physicalFooter(columns, this.group(rowGroup));
    const read: ReadRange = (start, end) =>
      start < this.size
        ? this.cache.read(start, end)
        : Promise.resolve(footer.slice(start - this.size, end - this.size).buffer as ArrayBuffer);
    const file = await ParquetFile.fromFile(new RangedBlob(read, 0, this.size + footer.length)).catch(undecodable);
    this.opened = { index: rowGroup, file };
    return file;
  }

  private close(): void {
    this.opened?.file.free();
    this.opened = undefined;
  }

  /** Fetches a row group's column chunks and checks them. Frees those of the previous row group. */
  private async fetchChunks(rowGroup: number, columns: readonly ColumnInfo[], maxPageBytes: number): Promise<void> {
    this.reading(rowGroup);
    const { chunks, rows } = this.group(rowGroup);
    const ranges = columns.flatMap(({ name }) => {
      const chunk = chunks.get(name);
      return chunk ? [{ name, start: chunk.start, end: chunk.start + chunk.compressed }] : [];
    });
    await this.cache.fetch(ranges);
    for (const { name, start, end } of ranges) {
      const problem = pagesProblem(this.cache.chunk(start, end), rows, maxPageBytes);
      if (problem !== undefined) throw new UnreadableFile(`column ${name} ${problem}`);
    }
  }

  private *slicesOf(
    { firstRowGroup, rowGroups, maxRowGroupBytes }: RowGroupRange,
    wanted: readonly ColumnInfo[],
  ): Generator<Slice, undefined> {
    let firstRow = this.metadata.rowGroups.slice(0, firstRowGroup).reduce((sum, { rows }) => sum + rows, 0);
    for (let rowGroup = firstRowGroup; rowGroup < firstRowGroup + rowGroups; rowGroup++) {
      const group = this.group(rowGroup);
      const columns = wanted.filter(({ name }) => group.chunks.has(name));
      const proof = wanted.length === 0 && group.rows > 0 ? this.smallestColumn(group) : [];
      const names = [...columns, ...proof].map(({ name }) => name);
      const bytes = bytesOf(group, names);
      if (bytes > maxRowGroupBytes) {
        this.reading(rowGroup);
        throw tooLarge(bytes, maxRowGroupBytes);
      }
      const maxRows = sliceRows(group, names, maxRowGroupBytes);
      for (let offset = 0; offset < group.rows; offset += maxRows) {
        const limit = Math.min(maxRows, group.rows - offset);
        yield { rowGroup, offset, limit, firstRow: firstRow + offset, bytes, columns, proof };
      }
      firstRow += group.rows;
    }
    return undefined;
  }

  /** The column that can be used and has the fewest bytes; empty if the statistics of all columns count the rows, and no value. */
  private smallestColumn({ chunks }: RowGroupInfo): ColumnInfo[] {
    const usable = this.metadata.columns.filter(({ type }) => type.kind !== 'unusable');
    if (usable.length === 0)
      throw new UnreadableFile('it has no column that can be read, so that its rows cannot be counted');
    const size = ({ name }: ColumnInfo) => chunks.get(name)?.compressed ?? 0;
    return usable
      .filter(({ name }) => chunks.has(name))
      .sort((a, b) => size(a) - size(b))
      .slice(0, 1);
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
  /** The columns to decode: those to read that have a value in the row group. */
  readonly columns: readonly ColumnInfo[];
  /** For rows without columns to read: a column whose pages are still checked, as they prove how many rows there are. */
  readonly proof: readonly ColumnInfo[];
}

/** Reports rows without a value in any column. */
async function useEmpty(
  { firstRow, limit }: Slice,
  use: (batch: RecordBatch) => void,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  for (let row = 0; row < limit; row += BATCH_ROWS) {
    use({ columns: [], rows: Math.min(BATCH_ROWS, limit - row), firstRow: firstRow + row });
    await pause();
  }
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
  return Math.max(1, Math.min(SLICE_ROWS, Math.floor((group.rows * SLICE_BYTES) / Math.max(1, decoded))));
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
