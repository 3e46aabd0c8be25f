/**
 * Writes the footer for parquet-wasm: only the columns to read, with names of our own and only their physical types. A column of structs is
 * below a group of its own for each level that its pages have beyond one; a null group is a null value. parquet-wasm then returns values as
 * they are stored, and `points/` applies their logical types. So parquet-wasm sees no name, logical type, encryption or metadata on which it
 * panics or changes values: for example, an INT96 is twelve bytes, and text is bytes.
 */
import type { FileMetaData, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { arrowSchema } from './arrow-schema';
import type { ColumnInfo, RowGroupInfo, Storage } from './metadata';

const INT96_BYTES = 12;
const MAGIC = new TextEncoder().encode('PAR1');

/**
 * Footer, its length and the magic: the bytes that end a Parquet file of one row group. All offsets are those of the original file.
 * @param columns that have a chunk in the row group
 * @param coded names of the columns of BYTE_ARRAY that parquet-wasm returns as dictionaries
 */
export function physicalFooter(
  columns: readonly ColumnInfo[],
  rowGroup: RowGroupInfo,
  coded: ReadonlySet<string>,
): Uint8Array {
  const paths = columns.map((column, index) => ({ path: pathOf(column, index), isCoded: coded.has(column.name) }));
  const footer: FileMetaData = {
    version: 2,
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(elementsOf)],
    num_rows: BigInt(rowGroup.rows),
    row_groups: [rowGroupOf(rowGroup, columns)],
    ...(coded.size > 0 && { key_value_metadata: [{ key: 'ARROW:schema', value: arrowSchema(paths) }] }),
    metadata_length: 0,
  };
  const writer = new ByteWriter();
  writeMetadata(writer, footer);
  writer.appendBytes(MAGIC);
  return writer.getBytes();
}

/** PLAIN pages and dictionaries, the only encodings of INT96, have twelve bytes per value in either type. */
function physical({ type, length }: Storage): { type: Storage['type']; length: number | undefined } {
  return type === 'INT96' ? { type: 'FIXED_LEN_BYTE_ARRAY', length: INT96_BYTES } : { type, length };
}

/** A column is named by its index; its groups and it have the same name. */
const pathOf = ({ stored }: ColumnInfo, index: number): string[] =>
  Array.from({ length: 1 + (stored.depth ?? 0) }, () => String(index));

function elementsOf(column: ColumnInfo, index: number): SchemaElement[] {
  const { stored } = column;
  const { type, length } = physical(stored);
  const [name = '', ...groups] = pathOf(column, index);
  const leaf: SchemaElement = {
    name,
    type,
    repetition_type: stored.isOptional ? 'OPTIONAL' : 'REQUIRED',
    ...(type === 'FIXED_LEN_BYTE_ARRAY' && length !== undefined && { type_length: length }),
  };
  return [...groups.map((group) => ({ name: group, num_children: 1, repetition_type: 'OPTIONAL' as const })), leaf];
}

function rowGroupOf({ rows, chunks }: RowGroupInfo, columns: readonly ColumnInfo[]): RowGroup {
  return {
    num_rows: BigInt(rows),
    total_byte_size: 0n,
    columns: columns.map((column, index) => {
      const chunk = chunks.get(column.name);
      if (!chunk) throw new Error(`no column chunk of ${column.name}`);
      return {
        file_offset: 0n,
        meta_data: {
          type: physical(column.stored).type,
          // The writer cannot write an empty list. DuckDB lists none for some chunks of nulls.
          encodings: chunk.encodings.length > 0 ? [...chunk.encodings] : ['PLAIN'],
          path_in_schema: pathOf(column, index),
          codec: chunk.codec,
          num_values: BigInt(rows),
          total_uncompressed_size: BigInt(chunk.uncompressed),
          total_compressed_size: BigInt(chunk.compressed),
          data_page_offset: BigInt(chunk.start),
        },
      };
    }),
  };
}
