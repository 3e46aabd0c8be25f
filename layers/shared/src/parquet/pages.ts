/**
 * Checks the pages of a column chunk by their headers, before they are decoded: they must have as many rows as their row group, fit into
 * the chunk, and match their checksum if they have one. Source: https://parquet.apache.org/docs/file-format/data-pages/
 */
import * as zlib from 'node:zlib';
import { grouped } from '../count-text';
import { type PageHeader, readPageHeader } from './format';
import { ThriftError, type ThriftInput } from './thrift';

/** Missing before Node 20.15: checksums are then not verified. */
const crc32: typeof zlib.crc32 | undefined = zlib.crc32;

/**
 * Why the pages cannot be decoded to `rows` rows, in words that continue "column NAME"; undefined if they can.
 * @param bytes the chunk as in the file
 * @param maxPageBytes maximum bytes of a decompressed page
 */
export function pagesProblem(bytes: Uint8Array, rows: number, maxPageBytes: number): string | undefined {
  const reader = { bytes, offset: 0 };
  let values = 0;
  for (let page = 0; reader.offset < bytes.length; page++) {
    const header = headerAt(reader);
    const size = header?.compressed_page_size ?? -1;
    if (!header || size < 0 || reader.offset + size > bytes.length) {
      // Some writers leave other bytes after the last page.
      if (values === rows) return undefined;
      return header && size >= 0
        ? `is truncated: page ${page} ends beyond it (parquet-mr before 1.2.9 wrote such files: write it again)`
        : `has a corrupt header of page ${page}`;
    }
    if (!(header.uncompressed_page_size >= 0 && header.uncompressed_page_size <= maxPageBytes)) {
      return `has a page of ${header.uncompressed_page_size} bytes (page ${page}), the limit is ${maxPageBytes}`;
    }
    const body = bytes.subarray(reader.offset, reader.offset + size);
    if (header.crc !== undefined && crc32 && crc32(body) !== header.crc >>> 0) {
      return `is damaged: the checksum of page ${page} does not match its bytes`;
    }
    const count = (header.data_page_header ?? header.data_page_header_v2)?.num_values;
    const isData = header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2';
    if (isData && (count === undefined || count < 0)) return `has a corrupt header of page ${page}`;
    if (isData) values += count ?? 0;
    reader.offset += size;
  }
  if (values === rows) return undefined;
  return `has ${grouped(values)} rows in its pages, its row group counts ${grouped(rows)}`;
}

function headerAt(input: ThriftInput): PageHeader | undefined {
  try {
    return readPageHeader(input);
  } catch (error) {
    if (error instanceof ThriftError) return undefined;
    throw error;
  }
}
