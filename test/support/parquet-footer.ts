/** Parquet files with changed footers, as broken or hostile writers would write them. */
import type { FileMetaData } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';

/** The file with a footer changed by `edit`; its pages keep their positions. */
export function withFooter(file: Uint8Array, edit: (footer: FileMetaData) => void): Uint8Array {
  const footer = parquetMetadata(file);
  edit(footer);
  const writer = new ByteWriter();
  writer.appendBytes(file.subarray(0, file.length - footer.metadata_length - 8));
  writeMetadata(writer, footer);
  writer.appendBytes(Buffer.from('PAR1'));
  return writer.getBytes();
}
