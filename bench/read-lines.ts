/** The reader alone: a Parquet file to batches of line protocol, without planning and sending. */
import type { DatasetMapping } from 'shared/datasets/mapping';
import { ParquetReader } from 'shared/parquet/reader';
import { openFile } from 'shared/parquet/source';
import { WORKER } from './load-folder';

const BATCH_BYTES = 4 * 1024 * 1024;

/** Returns the number of lines. @param use called with the bytes of each batch */
export async function readLines(
  path: string,
  mapping: DatasetMapping,
  batchLines: number,
  use: (bytes: Uint8Array) => void = () => undefined,
): Promise<number> {
  const reader = new ParquetReader({ workerFile: WORKER });
  const source = await openFile(path);
  const limits = { lines: batchLines, bytes: BATCH_BYTES };
  let counted = 0;
  const stream = reader.readPoints(source, mapping, { limits, dropInvalid: true, validateSchema: true });
  for await (const { bytes, lines, release } of stream) {
    use(bytes);
    counted += lines;
    release?.();
  }
  await source.close();
  await reader.close();
  return counted;
}
