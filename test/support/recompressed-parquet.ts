/** Parquet files with pages compressed in ways for which no writer is available here. */
import type { CompressionCodec } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';

const MAGIC = Buffer.from('PAR1');

/** @param file uncompressed, with data pages of version 1 */
export function recompressed(
  file: Uint8Array,
  codec: CompressionCodec,
  compress: (page: Uint8Array) => Uint8Array,
): Uint8Array {
  const footer = parquetMetadata(file);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const writer = new ByteWriter();
  writer.appendBytes(MAGIC);
  for (const data of footer.row_groups.flatMap(({ columns }) => columns.flatMap(({ meta_data }) => meta_data ?? []))) {
    const start = Number(data.dictionary_page_offset ?? data.data_page_offset);
    const end = start + Number(data.total_compressed_size);
    const written = writer.offset;
    const reader = { view, offset: start };
    while (reader.offset < end) {
      const isFirstDataPage = reader.offset === Number(data.data_page_offset);
      const header = deserializeTCompactProtocol(reader);
      const size = Number(header.field_3);
      const page = compress(file.subarray(reader.offset, reader.offset + size));
      reader.offset += size;
      if (isFirstDataPage) data.data_page_offset = BigInt(writer.offset);
      // Without its checksum, field 4.
      const { field_4: _, ...rest } = header;
      serializeTCompactProtocol(writer, { ...rest, field_3: page.length });
      writer.appendBytes(page);
    }
    if (data.dictionary_page_offset !== undefined) data.dictionary_page_offset = BigInt(written);
    data.total_compressed_size = BigInt(writer.offset - written);
    data.codec = codec;
  }
  writeMetadata(writer, footer);
  writer.appendBytes(MAGIC);
  return writer.getBytes();
}
