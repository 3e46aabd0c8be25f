/** The records of a CSV file as UNLOAD writes it, plain or gzip, read range by range. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type CastingContext, parse } from 'csv-parse';
import type { ReadRange } from '../parquet/ranged-blob';
import { UnreadableFile } from '../parquet/unreadable';
import type { CsvFormat } from './format';

/** The values of a record, in the order of the columns; null for NULL. */
export type CsvRecord = readonly (string | null)[];

/** Bytes per ranged read; one more is read ahead. */
const RANGE_BYTES = 1024 * 1024;
/** Bytes parsed at once, so that few records wait for their use. */
const PARSE_BYTES = 64 * 1024;
/** Maximum size of a record: a row of Timestream has at most 1,024 measures of 2,048 bytes. A missing quote ends here. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/**
 * The records in the order of the file, a few hundred KB at a time, without a header. Source of the format: "UNLOAD" in the Timestream
 * developer guide. Quote characters and escape characters are escaped, also outside of quotes. The guide does not say how NULL is
 * written: nothing between two delimiters is NULL, and `""` is an empty text.
 * @throws UnreadableFile with the line, for text that is not CSV, records with a wrong number of values, and damaged gzip
 */
export async function* csvRecords(
  read: ReadRange,
  size: number,
  { columns, delimiter, escape: mark }: CsvFormat,
): AsyncGenerator<readonly CsvRecord[]> {
  let records: CsvRecord[] = [];
  let isFirst = true;
  const escaped = new RegExp(`\\${mark}([\\s\\S])`, 'g');
  const parser = parse({
    delimiter,
    escape: mark,
    quote: '"',
    record_delimiter: ['\n', '\r\n'],
    // An escaped quote outside of quotes is text.
    relax_quotes: true,
    max_record_size: MAX_RECORD_BYTES,
    cast: (text: string, { quoting }: CastingContext) => {
      if (quoting) return text;
      if (text === '') return null;
      return mark !== '"' && text.includes(mark) ? text.replace(escaped, '$1') : text;
    },
    on_record: (record: CsvRecord) => {
      if (!isFirst || !isHeader(record, columns)) records.push(checkedRecord(record, columns, isFirst));
      isFirst = false;
      // Records do not pass through the stream.
      return null;
    },
  });
  passOnlyQuoting(parser);
  const finished = new Promise<void>((resolve, reject) => parser.on('end', resolve).on('error', reject));
  finished.catch(() => undefined);
  parser.resume();
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      parser.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  try {
    for await (const chunk of inflated(read, size)) {
      for (let start = 0; start < chunk.length; start += PARSE_BYTES) {
        await write(chunk.subarray(start, start + PARSE_BYTES));
        if (records.length > 0) yield records;
        records = [];
      }
    }
    parser.end();
    await finished;
  } catch (error) {
    throw readable(error);
  } finally {
    parser.destroy();
  }
  if (records.length > 0) yield records;
}

interface Internals {
  readonly api?: { readonly state: { readonly wasQuoting: boolean }; __infoField?: () => object };
}

/**
 * csv-parse builds the context of `cast` from a dozen members for each value, which takes five times as long as parsing (32 instead of
 * 6 microseconds for a row of six values). Only `quoting` is used. Without these internals the parser is slower and still right.
 */
function passOnlyQuoting(parser: object): void {
  const { api } = parser as Internals;
  if (typeof api?.state?.wasQuoting !== 'boolean') return;
  api.__infoField = () => ({ quoting: api.state.wasQuoting });
}

/** A header has the names of the columns. No row has: the time is never the word `time`. */
function isHeader(record: CsvRecord, columns: readonly string[]): boolean {
  return record.length === columns.length && record.every((value, index) => value === columns[index]);
}

/** csv-parse itself refuses later records with another number of values than the first. */
function checkedRecord(record: CsvRecord, columns: readonly string[], isFirst: boolean): CsvRecord {
  if (!isFirst || record.length === columns.length) return record;
  throw new UnreadableFile(
    `line 1 has ${record.length} values, but the metadata has ${columns.length} columns: check the delimiter of the export`,
  );
}

/** Errors of CSV and gzip become errors of the file. */
function readable(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || error instanceof UnreadableFile) return error;
  if (code.startsWith('CSV_')) return new UnreadableFile(`not CSV of this format: ${message}`);
  return code.startsWith('Z_') ? new UnreadableFile(`damaged gzip: ${message}`) : error;
}

/** The bytes of the file, decompressed if it begins as gzip does. */
async function* inflated(read: ReadRange, size: number): AsyncGenerator<Uint8Array> {
  const start = new Uint8Array(size < 2 ? new ArrayBuffer(0) : await read(0, 2));
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield* ranges(read, size);
    return;
  }
  const source = Readable.from(ranges(read, size));
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* ranges(read: ReadRange, size: number): AsyncGenerator<Uint8Array> {
  const next = (start: number) => (start < size ? read(start, Math.min(size, start + RANGE_BYTES)) : undefined);
  let ahead = next(0);
  for (let start = 0; ahead; start += RANGE_BYTES) {
    const bytes = new Uint8Array(await ahead);
    ahead = next(start + RANGE_BYTES);
    ahead?.catch(() => undefined);
    yield bytes;
  }
}
