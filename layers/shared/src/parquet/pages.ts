/**
 * Checks the pages of a column chunk by their headers, before they are decoded: they must have as many rows as their row group, fit into
 * the chunk, and match their checksum if they have one. Source: https://parquet.apache.org/docs/file-format/data-pages/
 */
import * as zlib from 'node:zlib';
import { grouped } from '../count-text';
import { type Encoding, type PageHeader, readPageHeader } from './format';
import { ThriftError, type ThriftInput } from './thrift';

/** Missing before Node 20.15: checksums are then not verified. */
const crc32: typeof zlib.crc32 | undefined = zlib.crc32;

/** The encodings of pages with codes of a dictionary. */
const CODES: ReadonlySet<unknown> = new Set<Encoding>(['PLAIN_DICTIONARY', 'RLE_DICTIONARY']);

/**
 * The pages of a chunk: their length in bytes, and the number of values in its dictionary if every value is in it; or why they cannot be
 * decoded, in words that continue "column NAME".
 */
export type Pages = { readonly length: number; readonly dictionary: number | undefined } | { readonly problem: string };

/**
 * Checks that a chunk's pages can be decoded to `rows` rows.
 * @param bytes the chunk as in the file
 * @param padding the last bytes, which may not belong to the chunk
 * @param maxPageBytes maximum bytes of a decompressed page
 */
export function checkPages(bytes: Uint8Array, rows: number, maxPageBytes: number, padding = 0): Pages {
  const reader = { bytes, offset: 0 };
  let values = 0;
  let dictionary: number | undefined;
  for (let page = 0; reader.offset < bytes.length; page++) {
    const start = reader.offset;
    if (padding > 0 && values === rows && start >= bytes.length - padding) return { length: start, dictionary };
    const header = headerAt(reader);
    const size = header?.compressed_page_size ?? -1;
    if (!header || size < 0 || reader.offset + size > bytes.length) {
      // Some writers leave other bytes after the last page.
      if (values === rows) return { length: start, dictionary };
      if (!header || size < 0) return { problem: `has a corrupt header of page ${page}` };
      return { problem: `is truncated: page ${page} ends beyond it` };
    }
    if (!(header.uncompressed_page_size >= 0 && header.uncompressed_page_size <= maxPageBytes)) {
      const found = `has a page of ${header.uncompressed_page_size} bytes (page ${page})`;
      return { problem: `${found}, the limit is ${maxPageBytes}` };
    }
    const body = bytes.subarray(reader.offset, reader.offset + size);
    if (header.crc !== undefined && crc32 && crc32(body) !== header.crc >>> 0) {
      return { problem: `is damaged: the checksum of page ${page} does not match its bytes` };
    }
    const data = header.data_page_header ?? header.data_page_header_v2;
    const count = data?.num_values;
    const isData = header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2';
    if (isData && (count === undefined || count < 0)) return { problem: `has a corrupt header of page ${page}` };
    if (isData) values += count ?? 0;
    if (header.type === 'DICTIONARY_PAGE' && page === 0) dictionary = header.dictionary_page_header?.num_values;
    if (isData && !CODES.has(data?.encoding)) dictionary = undefined;
    reader.offset += size;
  }
  if (values === rows) return { length: bytes.length, dictionary };
  return { problem: `has ${grouped(values)} rows in its pages, its row group counts ${grouped(rows)}` };
}

function headerAt(input: ThriftInput): PageHeader | undefined {
  try {
    return readPageHeader(input);
  } catch (error) {
    if (error instanceof ThriftError) return undefined;
    throw error;
  }
}
