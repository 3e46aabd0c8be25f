/** Reads a Parquet file by row group into Arrow record batches in WebAssembly memory, one slice ahead of their use. */
import { type FFIStream, ParquetFile, wasmMemory } from 'parquet-wasm';
import { type ArrowColumn, columnsOfBatch, rowsOfBatch } from './c-data';
import { ChunkCache } from './chunk-cache';
import { bytesOf, type ChunkInfo, type ColumnInfo, type ParquetMetadata, type RowGroupInfo } from './metadata';
import { checkPages } from './pages';
import { physicalFooter } from './physical-footer';
import { RangedBlob, type ReadRange } from './ranged-blob';
import { SAMPLE_LIMITS, sampleSlices } from './sample';
import { BATCH_ROWS, sliceRows, tooLarge } from './slice-size';
import { UnreadableFile } from './unreadable';

/** Row groups up to this size are fetched while the previous one is encoded. */
const FETCH_AHEAD_BYTES = 16 * 1024 * 1024;
/** Maximum values of a dictionary that is kept as it is: every record batch goes through it once. */
const MAX_DICTIONARY = 1 << 16;

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
  /** The chunks in the cache, without bytes behind their pages. */
  private fetched: RowGroupInfo = { rows: 0, chunks: new Map() };
  /** The columns in the cache that are read as dictionaries. */
  private coded: ReadonlySet<string> = new Set();

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
    try {
      await this.readSlices(this.slicesOf(range, this.usable(names)), range.maxRowGroupBytes, use, pause);
    } finally {
      this.close();
    }
  }

  /**
   * Calls `use` with the record batches of a sample of the file: of several row groups, the first and the last rows.
   * @param sampleRows rows of the sample
   * @throws as forEachBatch does
   */
  async forEachSampleBatch(
    { sampleRows, maxRowGroupBytes }: { readonly sampleRows: number; readonly maxRowGroupBytes: number },
    names: readonly string[],
    use: (batch: RecordBatch) => void,
  ): Promise<void> {
    const wanted = this.usable(names);
    try {
      await this.readSlices(
        this.sampleOf(wanted, sampleRows, maxRowGroupBytes),
        maxRowGroupBytes,
        use,
        () => undefined,
      );
    } finally {
      this.close();
    }
  }

  private usable(names: readonly string[]): ColumnInfo[] {
    const wanted = new Set(names);
    return this.metadata.columns.filter(({ name, type }) => wanted.has(name) && type.kind !== 'unusable');
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
    const footer = physicalFooter(columns, this.fetched, this.coded);
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
    const ranges = columns.flatMap((column) => {
      const chunk = chunks.get(column.name);
      return chunk ? [{ column, chunk, start: chunk.start, end: chunk.start + chunk.compressed }] : [];
    });
    await this.cache.fetch(ranges);
    const coded = new Set<string>();
    const checked = ranges.map(({ column: { name, type, stored }, chunk, start, end }): [string, ChunkInfo] => {
      const pages = checkPages(this.cache.chunk(start, end), rows, maxPageBytes, chunk.padding);
      if ('problem' in pages) throw new UnreadableFile(`column ${name} ${pages.problem}`);
      const { length, dictionary = 0 } = pages;
      // parquet-wasm does not check the codes of an empty dictionary.
      const isSmall = dictionary > 0 && dictionary <= MAX_DICTIONARY;
      if (isSmall && type.kind === 'text' && stored.type === 'BYTE_ARRAY') coded.add(name);
      return [name, { ...chunk, compressed: length }];
    });
    this.fetched = { rows, chunks: new Map(checked) };
    this.coded = coded;
  }

  private *slicesOf(
    { firstRowGroup, rowGroups, maxRowGroupBytes }: RowGroupRange,
    wanted: readonly ColumnInfo[],
  ): Generator<Slice, undefined> {
    let firstRow = this.metadata.rowGroups.slice(0, firstRowGroup).reduce((sum, { rows }) => sum + rows, 0);
    for (let rowGroup = firstRowGroup; rowGroup < firstRowGroup + rowGroups; rowGroup++) {
      const group = this.group(rowGroup);
      const content = this.contentOf(rowGroup, wanted, maxRowGroupBytes);
      const names = [...content.columns, ...content.proof].map(({ name }) => name);
      const maxRows = sliceRows(group, names, maxRowGroupBytes);
      for (let offset = 0; offset < group.rows; offset += maxRows) {
        const limit = Math.min(maxRows, group.rows - offset);
        yield { rowGroup, offset, limit, firstRow: firstRow + offset, ...content };
      }
      firstRow += group.rows;
    }
    return undefined;
  }

  private *sampleOf(wanted: readonly ColumnInfo[], rows: number, maxBytes: number): Generator<Slice, undefined> {
    const names = wanted.map(({ name }) => name);
    const maxRows = (rowGroup: number) => sliceRows(this.group(rowGroup), names, maxBytes);
    for (const slice of sampleSlices(this.metadata, names, maxRows, { ...SAMPLE_LIMITS, rows })) {
      const before = this.metadata.rowGroups.slice(0, slice.rowGroup).reduce((sum, group) => sum + group.rows, 0);
      yield { ...slice, firstRow: before + slice.offset, ...this.contentOf(slice.rowGroup, wanted, maxBytes) };
    }
    return undefined;
  }

  /** What the slices of a row group share. @throws UnreadableFile if the columns have too many bytes */
  private contentOf(
    rowGroup: number,
    wanted: readonly ColumnInfo[],
    maxBytes: number,
  ): Pick<Slice, 'columns' | 'proof' | 'bytes'> {
    const group = this.group(rowGroup);
    const columns = wanted.filter(({ name }) => group.chunks.has(name));
    const proof = wanted.length === 0 && group.rows > 0 ? this.smallestColumn(group) : [];
    const names = [...columns, ...proof].map(({ name }) => name);
    const bytes = bytesOf(group, names);
    if (bytes <= maxBytes) return { columns, proof, bytes };
    this.reading(rowGroup);
    throw tooLarge(bytes, maxBytes);
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

function undecodable(error: unknown): never {
  // Any panic leaves the module broken, whether or not a promise reports it.
  if (error instanceof Error && error.name === 'RuntimeError') throw error;
  throw new UndecodableRowGroup(error instanceof Error ? error.message : String(error), { cause: error });
}
