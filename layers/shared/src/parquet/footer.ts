/**
 * Reads a file's footer and checks its numbers before anything is planned or allocated for them. An error in one column makes only that
 * column unusable, so that a file is refused for its mapped columns alone.
 */
import { grouped } from '../count-text';
import { type ColumnType, columnType, describe } from './column-type';
import { type ColumnChunk, type ColumnMetaData, type FileMetaData, type RowGroup, readFileMetaData } from './format';
import type { ChunkInfo, ColumnInfo, KnownCodec, KnownEncoding, ParquetMetadata, RowGroupInfo } from './metadata';
import { type SchemaColumn, schemaColumns } from './schema-columns';
import { ThriftError } from './thrift';
import { UnreadableFile } from './unreadable';

/** Rows of a row group: pages count their values in 31 bits, and every known writer counts row groups in as many. */
const MAX_ROWS = 2 ** 31 - 1;
/**
 * Rows per byte of a column chunk. A column of one value is the shortest: pyarrow and Polars write 1,048,576 rows in 50 bytes, 20,000
 * rows per byte.
 */
const MAX_ROWS_PER_BYTE = 2 ** 20;
/** Twice as many as the widest known files have: 10,000 columns in 25 row groups. Each takes up to 1 KB of memory. */
const MAX_CHUNKS = 500_000;
/** Bytes of the header of a dictionary page, as other readers assume. */
const MAX_DICTIONARY_HEADER = 100;
/** The magic before the first column chunk. */
const FIRST_BYTE = 4;
/**
 * Maximum size of a chunk that is believed to have no value. pyarrow, DuckDB, Polars and Trino write less than 100 bytes per page, and pages
 * of at least 1,000 rows. A chunk of 10,000 doubles, or of as many numbers of a dictionary with two entries, is larger.
 */
const EMPTY_BYTES = 256;
const EMPTY_BYTES_PER_ROW = 1 / 16;
const NO_PLACE = { start: FIRST_BYTE, compressed: 0, uncompressed: 0 };
/** The footer's length and the magic, behind the footer. */
const TRAILER_BYTES = 8;

/**
 * @param tail the last bytes of the file, with the whole footer
 * @param size size of the file in bytes
 * @throws UnreadableFile for a footer that cannot be parsed, or that contradicts itself or the file
 */
export function readFooter(tail: Uint8Array, size: number): ParquetMetadata {
  const footerBytes = lengthOf(tail);
  const footer = parse(tail.subarray(tail.length - TRAILER_BYTES - footerBytes));
  const end = size - footerBytes - TRAILER_BYTES;
  const { columns, leaves } = schemaColumns(footer.schema);
  const chunks = leaves * footer.row_groups.length;
  if (chunks > MAX_CHUNKS)
    throw corrupt(`its footer counts ${grouped(chunks)} column chunks, the limit is ${grouped(MAX_CHUNKS)}`);
  const counts = footer.row_groups.map((group, index) => rowsOf(group, index, leaves));
  const total = count(
    counts.reduce((sum, rows) => sum + rows, 0),
    'the sum of its row groups',
  );
  const claimed = count(footer.num_rows, 'the footer');
  if (claimed > total)
    throw corrupt(`its footer counts ${grouped(claimed)} rows, its row groups have ${grouped(total)}`);

  const infos = infosOf(columns, footer.row_groups, counts, end);
  const encodings = new SharedLists<KnownEncoding>();
  const isShort = givesShortSizes(footer.created_by);
  return {
    rows: total,
    columns: [...infos.keys()],
    rowGroups: footer.row_groups.map((group, index): RowGroupInfo => {
      const rows = counts[index] ?? 0;
      const chunks = new Map<string, ChunkInfo>();
      for (const [info, leaf] of infos) {
        const data = group.columns[leaf]?.meta_data;
        if (data && info.type.kind !== 'unusable' && hasValues(data, info, rows))
          chunks.set(info.name, padded(chunkOf(data, rows, encodings), isShort ? end : 0));
      }
      return { rows, chunks };
    }),
  };
}

/** The columns, each name once, with the index of their chunks. */
function infosOf(
  columns: readonly SchemaColumn[],
  groups: readonly RowGroup[],
  counts: readonly number[],
  end: number,
): Map<ColumnInfo, number> {
  const named = new Map<string, SchemaColumn[]>();
  for (const column of columns) {
    const name = column.path.join('.');
    named.set(name, [...(named.get(name) ?? []), column]);
  }
  const hidden = columns.filter(
    ({ path }) => path.length > 1 && named.get(path.join('.'))?.some((other) => other.path.length === 1),
  );
  return new Map(
    [...named].flatMap(([name, all]) => {
      // A flat column may be named as if it were a struct's: the name means the flat one.
      const flat = all.filter(({ path }) => path.length === 1);
      const [column, ...others] = flat.length > 0 ? flat : all;
      if (!column) return [];
      const problem =
        others.length > 0
          ? `is there ${others.length + 1} times: give each column its own name`
          : (hiddenProblem(column, hidden) ?? column.problem ?? chunksProblem(column, groups, counts, end));
      return [[infoOf(name, column, problem), column.leaf]];
    }),
  );
}

/** The problem of a struct with a column that a flat column of the same name hides. */
function hiddenProblem({ isStruct, path }: SchemaColumn, hidden: readonly SchemaColumn[]): string | undefined {
  const column = hidden.find((each) => isStruct && path.every((name, index) => each.path[index] === name));
  return (
    column &&
    `is a struct whose column ${column.path.at(-1)} is not read, because a flat column is named ${column.path.join('.')}: rename one of them`
  );
}

function lengthOf(tail: Uint8Array): number {
  return new DataView(tail.buffer, tail.byteOffset, tail.byteLength).getUint32(tail.length - TRAILER_BYTES, true);
}

function parse(footer: Uint8Array): FileMetaData {
  try {
    return readFileMetaData(footer);
  } catch (error) {
    if (error instanceof ThriftError) throw corrupt(`its footer cannot be parsed (${error.message})`);
    throw error;
  }
}

function rowsOf({ num_rows, columns }: RowGroup, index: number, leaves: number): number {
  const rows = count(num_rows, `row group ${index}`);
  if (rows > MAX_ROWS) throw corrupt(`row group ${index} counts ${grouped(rows)} rows, more than a row group can have`);
  if (columns.length !== leaves)
    throw corrupt(`row group ${index} has ${columns.length} column chunks, the schema ${leaves}`);
  return rows;
}

function count(rows: number, where: string): number {
  if (rows >= 0 && Number.isSafeInteger(rows)) return rows;
  throw corrupt(`${where} counts ${grouped(rows)} rows`);
}

/** Why a column cannot be used, according to its chunks in the footer; undefined if it can. */
function chunksProblem(
  column: SchemaColumn,
  groups: readonly RowGroup[],
  counts: readonly number[],
  end: number,
): string | undefined {
  for (const [index, { columns }] of groups.entries()) {
    const problem = chunkProblem(columns[column.leaf], column, counts[index] ?? 0, end);
    if (problem !== undefined) return groups.length > 1 ? `${problem} (row group ${index})` : problem;
  }
  return undefined;
}

function chunkProblem(
  chunk: ColumnChunk | undefined,
  { element, path }: SchemaColumn,
  rows: number,
  end: number,
): string | undefined {
  if (chunk?.crypto_metadata || chunk?.encrypted_column_metadata) return 'is encrypted, which is not supported';
  if (!chunk?.meta_data) return 'has no metadata: the file is corrupt';
  if (chunk.file_path) return `lies in another file, ${chunk.file_path}`;
  const { meta_data: data } = chunk;
  const own = data.path_in_schema;
  if (own.length !== path.length || own.some((name, index) => name !== path[index]) || data.type !== element.type)
    return `contradicts the schema (${own.join('.')} of type ${data.type}): the file is corrupt`;
  if (data.codec === 'LZO' || data.codec === 'unknown')
    return `is compressed with ${data.codec === 'LZO' ? 'LZO' : 'an unknown codec'}, which is not supported`;
  if (data.encodings.includes('unknown')) return 'has an unknown encoding, which is not supported';
  // Without rows there may be no pages, and then any place.
  if (rows === 0) return undefined;
  const { start, compressed, uncompressed } = placeOf(data);
  if (
    !(start >= FIRST_BYTE && compressed >= 0 && uncompressed >= 0 && start + compressed <= end) ||
    !Number.isSafeInteger(uncompressed)
  ) {
    return `is at bytes ${start} to ${start + compressed}, but the file's data end at byte ${end}: the file is corrupt or truncated`;
  }
  if (rows > MAX_ROWS_PER_BYTE * compressed)
    return `has ${grouped(rows)} rows in ${compressed} bytes, which is impossible: the file is corrupt`;
  return undefined;
}

/** Some old writers give no dictionary page, or one at 0. The dictionary then begins at the offset of the first data page. */
function placeOf(data: ColumnMetaData): { start: number; compressed: number; uncompressed: number } {
  const { data_page_offset: page, dictionary_page_offset: dictionary = 0 } = data;
  return {
    start: dictionary > 0 && dictionary < page ? dictionary : page,
    compressed: data.total_compressed_size,
    uncompressed: data.total_uncompressed_size,
  };
}

/**
 * Whether a chunk may have a value. It has none if its count of nulls says so, and nothing contradicts it: a minimum or maximum, a required
 * column, another number of values, or more bytes than pages without values have.
 */
function hasValues(data: ColumnMetaData, { type, stored }: ColumnInfo, rows: number): boolean {
  if (type.kind === 'null') return false;
  if (!stored.isOptional || data.null_count !== rows || data.num_values !== rows) return true;
  return data.total_compressed_size > EMPTY_BYTES + rows * EMPTY_BYTES_PER_ROW;
}

/** A chunk without problems. */
function chunkOf(data: ColumnMetaData, rows: number, lists: SharedLists<KnownEncoding>): ChunkInfo {
  return {
    ...(rows === 0 ? NO_PLACE : placeOf(data)),
    codec: data.codec as KnownCodec,
    encodings: lists.of(data.encodings as KnownEncoding[]),
  };
}

/**
 * Whether the sizes of chunks lack the header of the dictionary, as parquet-mr wrote them before 1.2.9. Other readers also add 100 bytes:
 * https://issues.apache.org/jira/browse/PARQUET-816
 */
function givesShortSizes(createdBy = ''): boolean {
  const version = /^parquet-mr(?: version (\d+)\.(\d+)\.(\d+).*)?$/.exec(createdBy);
  if (!version) return false;
  const [major = 0, minor = 0, patch = 0] = version.slice(1).map((part) => Number(part ?? 0));
  return major * 1e6 + minor * 1e3 + patch < 1_002_009;
}

/** The chunk with bytes behind it, up to the end of the data, that may belong to it. */
function padded(chunk: ChunkInfo, end: number): ChunkInfo {
  const padding = Math.min(MAX_DICTIONARY_HEADER, end - chunk.start - chunk.compressed);
  return padding > 0 ? { ...chunk, compressed: chunk.compressed + padding, padding } : chunk;
}

/** Shares equal lists: a wide file has hundreds of thousands of chunks with few different lists of encodings. */
class SharedLists<T extends string> {
  private readonly lists = new Map<string, readonly T[]>();

  of(list: readonly T[]): readonly T[] {
    const known = this.lists.get(list.join());
    if (known) return known;
    this.lists.set(list.join(), list);
    return list;
  }
}

function infoOf(name: string, column: SchemaColumn, why: string | undefined): ColumnInfo {
  const { element, levels, isStruct } = column;
  const type: ColumnType =
    why === undefined ? columnType(element) : { kind: 'unusable', why, ...(isStruct && { isStruct }) };
  const stored = {
    // The type of a column that cannot be used is not looked at.
    type: element.type === undefined || element.type === 'unknown' ? ('INT32' as const) : element.type,
    length: element.type_length,
    isOptional: levels > 0,
    ...(levels > 1 && { depth: levels - 1 }),
  };
  return { name, type, declared: describe(element), stored };
}

function corrupt(fault: string): UnreadableFile {
  return new UnreadableFile(`corrupt: ${fault}`);
}
