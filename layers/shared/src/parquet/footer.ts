/**
 * Reads a file's footer, and checks what it claims before anything is planned or allocated for it. What is wrong with one column makes that
 * column unusable, so that a file is refused for its mapped columns alone.
 */
import type { ColumnChunk, Encoding, FileMetaData, RowGroup, SchemaElement } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { type ColumnType, columnType, describe, isGroup } from './column-type';
import type { ChunkInfo, ColumnInfo, ParquetMetadata, RowGroupInfo } from './metadata';
import { UnreadableFile } from './unreadable';

/** Pages count their values in 31 bits, and every known writer its row groups. */
const MOST_ROWS = 2 ** 31 - 1;
/**
 * Rows a byte of a column chunk. A column of one value takes the least: 1,048,576 rows of pyarrow or Polars lie in 50 bytes, 20,000 rows
 * a byte.
 */
const MOST_ROWS_PER_BYTE = 2 ** 20;
/** The magic before the first column chunk. */
const FIRST_BYTE = 4;
const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'];
const ENCODINGS = [
  ...['PLAIN', 'PLAIN_DICTIONARY', 'RLE', 'BIT_PACKED', 'DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY'],
  ...['DELTA_BYTE_ARRAY', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'],
];

/** A top-level column of the schema. Its leaves, nested ones included, stand in each row group at `firstLeaf` and after. */
interface TopLevel {
  readonly element: SchemaElement;
  readonly firstLeaf: number;
}

/**
 * @param tail the last bytes of the file, with the whole footer
 * @param size of the file, bytes
 * @throws UnreadableFile for a footer that cannot be parsed, or that contradicts itself or the file
 */
export function readFooter(tail: Uint8Array, size: number): ParquetMetadata {
  const footer = parse(tail);
  const end = size - footer.metadata_length - 8;
  const { columns, leaves } = topLevel(footer.schema);
  const counts = footer.row_groups.map((group, index) => rowsOf(group, index, leaves));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const claimed = count(footer.num_rows, 'the footer');
  if (claimed > rows) throw corrupt(`its footer counts ${number(claimed)} rows, its row groups hold ${number(rows)}`);

  const times = new Map<string, number>();
  for (const { element } of columns) times.set(element.name, (times.get(element.name) ?? 0) + 1);
  const infos = columns.map((column) => {
    const count = times.get(column.element.name) ?? 1;
    if (count > 1) return infoOf(column.element, `is there ${count} times, so that it is not clear which one is meant`);
    return infoOf(column.element, problemOf(column, footer.row_groups, counts, end));
  });
  const usable = columns.filter((_, index) => infos[index]?.type.kind !== 'unusable');
  const encodings = new SharedLists<Encoding>();
  return {
    rows,
    createdBy: footer.created_by,
    columns: [...new Map(infos.map((info) => [info.name, info])).values()],
    rowGroups: footer.row_groups.map((group, index): RowGroupInfo => {
      const chunks = new Map<string, ChunkInfo>();
      for (const { element, firstLeaf } of usable) {
        const chunk = group.columns[firstLeaf];
        if (chunk) chunks.set(element.name, chunkOf(chunk, encodings));
      }
      return { rows: counts[index] ?? 0, chunks };
    }),
  };
}

function parse(tail: Uint8Array): FileMetaData {
  try {
    return parquetMetadata(tail, { geoparquet: false });
  } catch (error) {
    throw corrupt(`its footer cannot be parsed (${(error as Error).message})`);
  }
}

function topLevel([root, ...elements]: readonly SchemaElement[]): { columns: TopLevel[]; leaves: number } {
  if (root === undefined || elements.some(({ num_children: children = 0 }) => children < 0))
    throw corrupt('its schema cannot be understood');
  const columns: TopLevel[] = [];
  let at = 0;
  let leaves = 0;
  /** Goes past an element and all that is below it. */
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
  if (rows > MOST_ROWS) throw corrupt(`row group ${index} counts ${number(rows)} rows, more than a row group can hold`);
  if (columns.length !== leaves)
    throw corrupt(`row group ${index} has ${columns.length} column chunks, the schema ${leaves}`);
  return rows;
}

function count(value: bigint, where: string): number {
  const rows = Number(value);
  if (rows >= 0 && Number.isSafeInteger(rows)) return rows;
  throw corrupt(`${where} counts ${value} rows`);
}

/** Why a column cannot be used, from what the footer says of its chunks; undefined where nothing is wrong. */
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
  if (!CODECS.includes(data.codec))
    return `is compressed with ${data.codec ?? 'an unknown codec'}, which is not supported`;
  // Numbers that stand for no encoding are undefined.
  const encoding = data.encodings.map((each) => each ?? 'unknown').find((each) => !ENCODINGS.includes(each));
  if (encoding !== undefined) return `has the encoding ${encoding}, which is not supported`;
  // Of no rows there may be no pages, and then any place.
  if (rows === 0) return undefined;
  const { start, compressed, uncompressed } = placeOf(chunk);
  if (!(start >= FIRST_BYTE && compressed >= 0 && uncompressed >= 0 && start + compressed <= end)) {
    return `would lie at bytes ${start} to ${start + compressed} of the file, whose data end at ${end}: the file is corrupt or truncated`;
  }
  if (rows > MOST_ROWS_PER_BYTE * compressed)
    return `would have ${number(rows)} rows in ${compressed} bytes: the file is corrupt`;
  return undefined;
}

/** Some old writers name no dictionary page, or one at 0; it then comes right before or at the first data page. */
function placeOf({ meta_data: data }: ColumnChunk): { start: number; compressed: number; uncompressed: number } {
  const [page, dictionary] = [Number(data?.data_page_offset), Number(data?.dictionary_page_offset ?? 0n)];
  return {
    start: dictionary > 0 && dictionary < page ? dictionary : page,
    compressed: Number(data?.total_compressed_size),
    uncompressed: Number(data?.total_uncompressed_size),
  };
}

function chunkOf(chunk: ColumnChunk, encodings: SharedLists<Encoding>): ChunkInfo {
  const data = chunk.meta_data;
  const nulls = data?.statistics?.null_count;
  return {
    ...placeOf(chunk),
    codec: data?.codec ?? 'UNCOMPRESSED',
    encodings: encodings.of(data?.encodings ?? []),
    nulls: nulls === undefined ? undefined : Number(nulls),
  };
}

/** One list for all that are equal: a wide file has hundreds of thousands of chunks, and few ways to encode them. */
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
    type: element.type ?? 'INT32',
    length: element.type_length,
    isOptional: element.repetition_type !== 'REQUIRED',
  };
  return { name: element.name, type, declared: describe(element), stored };
}

const number = (value: number): string => value.toLocaleString('en-US');

function corrupt(fault: string): UnreadableFile {
  return new UnreadableFile(`corrupt: ${fault}`);
}
