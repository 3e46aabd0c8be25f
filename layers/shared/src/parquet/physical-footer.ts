/**
 * Writes the footer for parquet-wasm: only the columns to read, with names of our own and only their physical types. parquet-wasm then
 * returns values as they are stored, and `points/` applies their logical types. So parquet-wasm sees no name, logical type, encryption
 * or metadata on which it panics or changes values: for example, an INT96 is twelve bytes, and text is bytes.
 */
import type { FileMetaData, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { ColumnInfo, RowGroupInfo, Storage } from './metadata';

const INT96_BYTES = 12;
const MAGIC = new TextEncoder().encode('PAR1');

/** Footer, its length and the magic: the bytes that end a Parquet file. All offsets are those of the original file. */
export function physicalFooter(columns: readonly ColumnInfo[], rowGroups: readonly RowGroupInfo[]): Uint8Array {
  const footer: FileMetaData = {
    version: 2,
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.map(elementOf)],
    num_rows: BigInt(rowGroups.reduce((sum, { rows }) => sum + rows, 0)),
    row_groups: rowGroups.map((group) => rowGroupOf(group, columns)),
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

function elementOf({ stored }: ColumnInfo, index: number): SchemaElement {
  const { type, length } = physical(stored);
  return {
    name: String(index),
    type,
    repetition_type: stored.isOptional ? 'OPTIONAL' : 'REQUIRED',
    ...(type === 'FIXED_LEN_BYTE_ARRAY' && length !== undefined && { type_length: length }),
  };
}

function rowGroupOf({ rows, chunks }: RowGroupInfo, columns: readonly ColumnInfo[]): RowGroup {
  return {
    num_rows: BigInt(rows),
    total_byte_size: 0n,
    columns: columns.map(({ name, stored }, index) => {
      const chunk = chunks.get(name);
      if (!chunk) throw new Error(`no column chunk of ${name}`);
      return {
        file_offset: 0n,
        meta_data: {
          type: physical(stored).type,
          encodings: [...chunk.encodings],
          path_in_schema: [String(index)],
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
