/**
 * Reads a file's footer and checks its numbers before anything is planned or allocated for them. An error in one column makes only that
 * column unusable, so that a file is refused for its mapped columns alone.
 */
import { grouped } from '../count-text';
import { type ColumnType, columnType, describe, isGroup } from './column-type';
import {
  type ColumnChunk,
  type ColumnMetaData,
  type FileMetaData,
  type RowGroup,
  readFileMetaData,
  type SchemaElement,
} from './format';
import type { ChunkInfo, ColumnInfo, KnownCodec, KnownEncoding, ParquetMetadata, RowGroupInfo } from './metadata';
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
/** The magic before the first column chunk. */
const FIRST_BYTE = 4;
const NO_PLACE = { start: FIRST_BYTE, compressed: 0, uncompressed: 0 };
/** The footer's length and the magic, behind the footer. */
const TRAILER_BYTES = 8;

/** A top-level column of the schema. In each row group its leaves, also nested ones, begin at index `firstLeaf`. */
interface TopLevel {
  readonly element: SchemaElement;
  readonly firstLeaf: number;
}

/**
 * @param tail the last bytes of the file, with the whole footer
 * @param size size of the file in bytes
 * @throws UnreadableFile for a footer that cannot be parsed, or that contradicts itself or the file
 */
export function readFooter(tail: Uint8Array, size: number): ParquetMetadata {
  const footerBytes = lengthOf(tail);
  const footer = parse(tail.subarray(tail.length - TRAILER_BYTES - footerBytes));
  const end = size - footerBytes - TRAILER_BYTES;
  const { columns, leaves } = topLevel(footer.schema);
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

  const times = new Map<string, number>();
  for (const { element } of columns) times.set(element.name, (times.get(element.name) ?? 0) + 1);
  const infos = columns.map((column) => {
    const count = times.get(column.element.name) ?? 1;
    if (count > 1) return infoOf(column.element, `is there ${count} times: give each column its own name`);
    return infoOf(column.element, problemOf(column, footer.row_groups, counts, end));
  });
  const usable = columns.filter((_, index) => infos[index]?.type.kind !== 'unusable');
  const encodings = new SharedLists<KnownEncoding>();
  return {
    rows: total,
    columns: [...new Map(infos.map((info) => [info.name, info])).values()],
    rowGroups: footer.row_groups.map((group, index): RowGroupInfo => {
      const rows = counts[index] ?? 0;
      const chunks = new Map<string, ChunkInfo>();
      for (const { element, firstLeaf } of usable) {
        const data = group.columns[firstLeaf]?.meta_data;
        if (data) chunks.set(element.name, chunkOf(data, rows, encodings));
      }
      return { rows, chunks };
    }),
  };
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

function topLevel([root, ...elements]: readonly SchemaElement[]): { columns: TopLevel[]; leaves: number } {
  if (root === undefined || elements.some(({ num_children: children = 0 }) => children < 0))
    throw corrupt('its schema is not valid');
  const columns: TopLevel[] = [];
  let at = 0;
  let leaves = 0;
  /** Moves past an element and everything below it. */
  const pass = () => {
    // Pending children instead of recursion: a hostile schema may be as deep as it is long.
    for (let pending = 1; pending > 0; pending--) {
      const element = elements[at++];
      if (element === undefined) throw corrupt('its schema names more columns than it has');
      if (isGroup(element)) pending += element.num_children ?? 0;
      else leaves++;
    }
  };
  while (at < elements.length) {
    columns.push({ element: elements[at] as SchemaElement, firstLeaf: leaves });
    pass();
  }
  if (columns.length !== (root.num_children ?? 0)) throw corrupt('its schema names fewer columns than it has');
  return { columns, leaves };
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
function problemOf(
  { element, firstLeaf }: TopLevel,
  groups: readonly RowGroup[],
  counts: readonly number[],
  end: number,
): string | undefined {
  if (isGroup(element)) return `is ${describe(element)}: only flat columns can be used`;
  for (const [index, { columns }] of groups.entries()) {
    const problem = chunkProblem(columns[firstLeaf], element, counts[index] ?? 0, end);
    if (problem !== undefined) return groups.length > 1 ? `${problem} (row group ${index})` : problem;
  }
  return undefined;
}

function chunkProblem(
  chunk: ColumnChunk | undefined,
  { name, type }: SchemaElement,
  rows: number,
  end: number,
): string | undefined {
  if (chunk?.crypto_metadata || chunk?.encrypted_column_metadata) return 'is encrypted, which is not supported';
  if (!chunk?.meta_data) return 'has no metadata: the file is corrupt';
  if (chunk.file_path) return `lies in another file, ${chunk.file_path}`;
  const { meta_data: data } = chunk;
  const path = data.path_in_schema;
  if (path.length !== 1 || path[0] !== name || data.type !== type)
    return `contradicts the schema (${path.join('.')} of type ${data.type}): the file is corrupt`;
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

/** A chunk without problems. */
function chunkOf(data: ColumnMetaData, rows: number, lists: SharedLists<KnownEncoding>): ChunkInfo {
  return {
    ...(rows === 0 ? NO_PLACE : placeOf(data)),
    codec: data.codec as KnownCodec,
    encodings: lists.of(data.encodings as KnownEncoding[]),
  };
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

function infoOf(element: SchemaElement, why: string | undefined): ColumnInfo {
  const type: ColumnType = why === undefined ? columnType(element) : { kind: 'unusable', why };
  const stored = {
    // The type of a column that cannot be used is not looked at.
    type: element.type === undefined || element.type === 'unknown' ? ('INT32' as const) : element.type,
    length: element.type_length,
    isOptional: element.repetition_type !== 'REQUIRED',
  };
  return { name: element.name, type, declared: describe(element), stored };
}

function corrupt(fault: string): UnreadableFile {
  return new UnreadableFile(`corrupt: ${fault}`);
}
