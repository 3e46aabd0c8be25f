/** Reads the end of a Parquet file, with its footer, in one request if possible, and checks it before it is parsed. */
import { DataConversionError } from '../errors';
import type { ParquetSource } from './source';

/** Enough for the footer of some hundred row groups, in one small request. */
const USUAL_BYTES = 64 * 1024;
/** Magic at both ends and the footer's length: https://parquet.apache.org/docs/file-format/ */
const MIN_FILE_BYTES = 12;
/**
 * The footer of 10,000 columns in 25 row groups, or of 1,010 columns in 270. Measured while it is parsed: 10 times as much memory, 17
 * times for a hostile footer.
 */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Reads the last bytes of the file, with the whole footer, in one request; a footer of more than 64 KB, up to 32 MB, takes two.
 * @throws DataConversionError that names the object and the error: empty, too short, not Parquet, truncated or encrypted.
 */
export async function readTail(source: ParquetSource, signal?: AbortSignal): Promise<Uint8Array> {
  const refuse = (fault: string) => new DataConversionError(`${source.name}: ${fault}`, { object: source.name });
  if (source.size === 0) throw refuse('not a Parquet file: it is empty');
  if (source.size < MIN_FILE_BYTES) throw refuse(`not a Parquet file: ${source.size} bytes are too few`);

  const tail = await source.readRange(Math.max(0, source.size - USUAL_BYTES), source.size, signal);
  const magic = Buffer.from(tail.subarray(-4)).toString('latin1');
  if (magic === 'PARE') throw refuse('its footer is encrypted, which is not supported');
  if (magic !== 'PAR1') throw refuse('not a Parquet file, or truncated: it does not end in PAR1');

  const needed = new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - 8, true) + 8;
  if (needed + 4 > source.size)
    throw refuse(`corrupt: its end gives ${needed} bytes for the footer, but the file has ${source.size}`);
  if (needed > MAX_BYTES)
    throw refuse(
      `its footer has ${needed} bytes, the limit is ${MAX_BYTES}: write the file with fewer columns or larger row groups`,
    );
  if (needed <= tail.length) return tail;
  return source.readRange(source.size - needed, source.size, signal);
}
